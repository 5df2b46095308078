package file

import (
	"fmt"
	"strconv"

	"sluice/sink"
)

// Keep says how many of the rotated files stay. The zero Keep is all of them.
type Keep struct {
	Files int        // at most so many, 0: no bound
	Bytes sink.Bytes // at most so large together, 0: no bound
}

// UnmarshalText reads a number of files, a size, or "all".
func (k *Keep) UnmarshalText(text []byte) error {
	*k = Keep{}
	if string(text) == "all" {
		return nil
	}
	if n, err := strconv.Atoi(string(text)); err == nil && n >= 1 {
		k.Files = n
		return nil
	}
	if err := k.Bytes.UnmarshalText(text); err != nil || k.Bytes == 0 {
		return fmt.Errorf("%q: want a number of files, such as 20, a size, such as 1GiB, or all", text)
	}
	return nil
}

// String returns k as it is written in the file.
func (k Keep) String() string {
	switch {
	case k.Files > 0:
		return strconv.Itoa(k.Files)
	case k.Bytes > 0:
		return k.Bytes.String()
	}
	return "all"
}
