//go:build !unix

package journal

import "os"

// acquire opens the lock file. Systems without flock do not guard the folder
// against a second process.
func acquire(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
}

func release(f *os.File) { f.Close() }
