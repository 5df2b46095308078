package journal

import (
	"io"
	"os"
)

// FS is the part of a file system that the journal needs. Tests put a faulty one
// in its place. Names are paths.
type FS interface {
	MkdirAll(dir string) error
	List(dir string) ([]string, error) // names without the folder, sorted
	Create(name string) (File, error)  // for writing and reading, emptied if it exists
	Open(name string) (File, error)    // for writing and reading
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error // makes Create, Rename and Remove in dir durable
}

// File is an open file of an FS.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error // makes the content durable; times of access need not be
}

// OS is the real file system.
type OS struct{}

var _ FS = OS{}

// MkdirAll creates dir and what leads to it, readable by its owner and group.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o750) }

// List returns the names in dir.
func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Create opens an empty file.
func (OS) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Open opens an existing file.
func (OS) Open(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename gives a file another name, replacing what had it.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove deletes a file.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir makes changes of names in dir durable.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
