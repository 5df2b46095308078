package file

import (
	"io"
	"io/fs"
	"os"
)

// disk is the part of a file system that the sink needs. Tests put one in its
// place that fails or ends in the middle. Names are paths.
type disk interface {
	MkdirAll(dir string) error
	List(dir string) ([]fs.DirEntry, error)
	Lstat(name string) (fs.FileInfo, error)
	Open(name string) (handle, error)   // for reading
	Append(name string) (handle, error) // an existing file, of which this process becomes the only writer
	Create(name string) (handle, error) // a new file, likewise
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error // makes Create, Rename and Remove in dir durable
}

// handle is an open file of a disk. Write appends.
type handle interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Sync() error
}

// osDisk is the real file system.
type osDisk struct{}

var _ disk = osDisk{}

func (osDisk) MkdirAll(dir string) error              { return os.MkdirAll(dir, 0o750) }
func (osDisk) List(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }
func (osDisk) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }
func (osDisk) Open(name string) (handle, error)       { return os.Open(name) }
func (osDisk) Rename(from, to string) error           { return os.Rename(from, to) }
func (osDisk) Remove(name string) error               { return os.Remove(name) }

func (osDisk) Append(name string) (handle, error) { return openLocked(name, 0) }

func (osDisk) Create(name string) (handle, error) {
	return openLocked(name, os.O_CREATE|os.O_EXCL)
}

func openLocked(name string, flag int) (handle, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|flag, 0o640)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (osDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
