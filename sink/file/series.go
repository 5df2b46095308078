package file

import (
	"cmp"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A rotated file is called as the file was, with the time of its rotation before
// the extension: readings-20261122T100000.000Z.ndjson. Later ones sort behind.
const (
	stampFormat = "20060102T150405.000Z"
	packedExt   = ".gz"
	partExt     = ".part" // of a file that is not whole yet
)

// series is a file and those that were rotated away from it.
type series struct {
	path string
	dir  string
	stem string // name of the file, without its extension
	ext  string
}

func newSeries(path string) series {
	base, ext := filepath.Base(path), filepath.Ext(path)
	if ext == base {
		ext = "" // a hidden file
	}
	return series{path: path, dir: filepath.Dir(path), stem: strings.TrimSuffix(base, ext), ext: ext}
}

// rotated is one rotated file.
type rotated struct {
	path   string
	stamp  string
	packed bool
	size   int64
}

// name returns the path of the file that was rotated at stamp.
func (s series) name(stamp string) string {
	return filepath.Join(s.dir, s.stem+"-"+stamp+s.ext)
}

// stampOf returns when the file with that name was rotated.
func (s series) stampOf(name string) (stamp string, packed, ok bool) {
	rest, ok := strings.CutPrefix(name, s.stem+"-")
	if !ok {
		return "", false, false
	}
	rest, packed = strings.CutSuffix(rest, packedExt)
	stamp, ok = strings.CutSuffix(rest, s.ext)
	if !ok {
		return "", false, false
	}
	t, err := time.Parse(stampFormat, stamp)
	return stamp, packed, err == nil && t.Format(stampFormat) == stamp
}

// list returns the rotated files, the oldest first, a packed one before the same
// one unpacked.
func (s series) list(d disk) ([]rotated, error) {
	entries, err := d.List(s.dir)
	if err != nil {
		return nil, err
	}
	var all []rotated
	for _, e := range entries {
		stamp, packed, ok := s.stampOf(e.Name())
		if info, err := e.Info(); ok && err == nil && info.Mode().IsRegular() {
			all = append(all, rotated{filepath.Join(s.dir, e.Name()), stamp, packed, info.Size()})
		}
	}
	slices.SortFunc(all, func(a, b rotated) int {
		if a.stamp == b.stamp && a.packed != b.packed {
			if a.packed {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.stamp, b.stamp)
	})
	return all, nil
}

// after returns those of all that were rotated after stamp.
func after(all []rotated, stamp string) []rotated {
	i := slices.IndexFunc(all, func(r rotated) bool { return r.stamp > stamp })
	if i < 0 {
		return nil
	}
	return all[i:]
}

// nextStamp returns the stamp of now, or the first one behind last where the
// clock is not ahead of it: the order of stamps is that of the files, whatever the
// clock does.
func nextStamp(last string, now time.Time) string {
	stamp := now.UTC().Format(stampFormat)
	if stamp > last {
		return stamp
	}
	t, err := time.Parse(stampFormat, last)
	if err != nil {
		return stamp
	}
	return t.Add(time.Millisecond).Format(stampFormat)
}

// exists reports whether there is something called name.
func exists(d disk, name string) bool {
	_, err := d.Lstat(name)
	return err == nil
}

// kindProblem returns what is wrong with what stands at a path, "" for a file.
func kindProblem(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "it is a folder, want a file"
	case mode&fs.ModeSymlink != 0:
		return "it is a symbolic link, want the file itself (or - for standard output)"
	case mode&fs.ModeNamedPipe != 0:
		return "it is a named pipe, want a file (or - for standard output)"
	case mode&fs.ModeSocket != 0:
		return "it is a socket, want a file"
	}
	return "it is a device, want a file (or - for standard output)"
}
