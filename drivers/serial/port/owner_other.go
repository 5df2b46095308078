//go:build !linux

package port

import "os"

// Owner returns "": who has a port is known on Linux only.
func Owner(string) string { return "" }

// AccessTo returns what is known of who may open the port at path.
func AccessTo(path string) (Access, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Access{}, err
	}
	return Access{Mode: info.Mode().Perm()}, nil
}
