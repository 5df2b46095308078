//go:build unix

package file

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openStandardOutput returns a descriptor of its own: a broken pipe behind
// descriptor 1 itself would end the process.
func openStandardOutput() (*os.File, error) {
	fd, err := unix.FcntlInt(os.Stdout.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), os.Stdout.Name()), nil
}

// awaitWritable returns when f takes something or has failed. The descriptor
// blocks, and must, since others share it.
func awaitWritable(ctx context.Context, f *os.File) error {
	const again = 50 // ms, until ctx is looked at
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		ready := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLOUT}}
		n, err := unix.Poll(ready, again)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}
