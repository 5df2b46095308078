//go:build !unix

package file

import "os"

// lock does nothing: systems without flock do not guard the file.
func lock(*os.File) error { return nil }
