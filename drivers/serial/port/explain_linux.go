package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// explain adds to the error of an open what the operator needs to know.
func explain(path string, err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) && perr.Path == path {
		err = perr.Err // the path is said once
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open port %s: there is no such port: %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open port %s: %w: %s", path, err, access(path))
	case errors.Is(err, unix.ENOTTY):
		return fmt.Errorf("open port %s: it is not a serial port: %w", path, err)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK):
		if owner := Owner(path); owner != "" {
			return fmt.Errorf("open port %s: %w by %s", path, ErrBusy, owner)
		}
		return fmt.Errorf("open port %s: %w", path, ErrBusy)
	}
	return fmt.Errorf("open port %s: %w", path, gone(err))
}

// AccessTo returns who may open the port at path. The error is that of looking
// for it.
func AccessTo(path string) (Access, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Access{}, err
	}
	a := Access{Mode: info.Mode().Perm()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		a.Group = groupName(strconv.Itoa(int(st.Gid)))
	}
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		a.Advice = a.advice()
	}
	return a, nil
}

// advice says how to become one of those who may open the port.
func (a Access) advice() string {
	if a.Mode&0o060 != 0o060 {
		return fmt.Sprintf("its group %s may not read and write it (mode %04o): let it by a udev rule with GROUP and MODE=\"0660\"",
			a.Group, a.Mode)
	}
	return fmt.Sprintf("add yourself to the group %s: sudo usermod -aG %s %s, then log in again", a.Group, a.Group, userName())
}

// access says how to become one of those who may open the port at path, which
// this user may not.
func access(path string) string {
	a, err := AccessTo(path)
	if err != nil {
		return "a folder on the way to it is closed to this user"
	}
	return a.advice()
}

func groupName(id string) string {
	if g, err := user.LookupGroupId(id); err == nil {
		return g.Name
	}
	return id
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "USER"
}
