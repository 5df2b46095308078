//go:build unix

package journal

import "golang.org/x/sys/unix"

// space returns the bytes that a process of this user may still write to the file
// system of dir. ok is false when that cannot be told.
func space(dir string) (free int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
