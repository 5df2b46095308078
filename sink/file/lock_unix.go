//go:build unix

package file

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock makes this process the only writer of f that asks. The lock ends with the
// descriptor, so with the process, however it ends. A file system that knows no
// locks does not guard the file.
func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("open %s: another process or sink writes to it: give each a file of its own", f.Name())
	}
	return nil
}
