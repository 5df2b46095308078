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
		if owner := owner(path); owner != "" {
			return fmt.Errorf("open port %s: %w by %s", path, ErrBusy, owner)
		}
		return fmt.Errorf("open port %s: %w", path, ErrBusy)
	}
	return fmt.Errorf("open port %s: %w", path, gone(err))
}

// access says who may open the port and how to become one of them.
func access(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "a folder on the way to it is closed to this user"
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "this user may not open it"
	}
	group := strconv.Itoa(int(st.Gid))
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	if info.Mode().Perm()&0o060 != 0o060 {
		return fmt.Sprintf("its group %s may not read and write it (mode %04o): let it by a udev rule with GROUP and MODE=\"0660\"",
			group, info.Mode().Perm())
	}
	return fmt.Sprintf("add yourself to the group %s: sudo usermod -aG %s %s, then log in again", group, group, userName())
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "USER"
}
