package port

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// calls are the ioctl system calls that only some ports answer. Tests put a
// table of their own in their place.
type calls interface {
	// point makes a call whose argument is read or filled in by the kernel.
	point(fd int, request uint, arg unsafe.Pointer) error
	// value makes a call whose argument is a number.
	value(fd int, request uint, arg int) error
}

type kernel struct{}

func (kernel) point(fd int, request uint, arg unsafe.Pointer) error {
	_, _, failed := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
	if failed != 0 {
		return failed
	}
	return nil
}

func (kernel) value(fd int, request uint, arg int) error { return unix.IoctlSetInt(fd, request, arg) }

// missing reports whether err says that a port does not have what was asked
// for.
func missing(err error) bool {
	return errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP)
}
