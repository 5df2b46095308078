package pipeline

import (
	"path/filepath"
	"sync/atomic"

	"sluice/pipeline/journal"
)

// counted is a file system that counts what the journal does to its files, by
// what the files are.
type counted struct {
	journal.FS
	segments, zeros, cursors traffic
	folders                  atomic.Int64 // syncs of folders
}

// traffic is what went to and came from one kind of file.
type traffic struct{ written, read, syncs atomic.Int64 }

func newCounted() *counted { return &counted{FS: journal.OS{}} }

// of returns where the traffic of a file counts. A spare that is being made is
// zeros; once it is there, it is a segment to be.
func (c *counted) of(name string) *traffic {
	switch base := filepath.Base(name); {
	case base == "spare.tmp":
		return &c.zeros
	case filepath.Ext(base) == ".cursor":
		return &c.cursors
	}
	return &c.segments
}

// syncs returns how often anything was synced.
func (c *counted) syncs() int64 {
	return c.segments.syncs.Load() + c.zeros.syncs.Load() + c.cursors.syncs.Load() + c.folders.Load()
}

func (c *counted) Create(name string) (journal.File, error) {
	f, err := c.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return countedFile{f, c.of(name)}, nil
}

func (c *counted) Open(name string) (journal.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return countedFile{f, c.of(name)}, nil
}

func (c *counted) SyncDir(dir string) error {
	c.folders.Add(1)
	return c.FS.SyncDir(dir)
}

type countedFile struct {
	journal.File
	*traffic
}

func (f countedFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(b, off)
	f.read.Add(int64(n))
	return n, err
}

func (f countedFile) WriteAt(b []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(b, off)
	f.written.Add(int64(n))
	return n, err
}

func (f countedFile) Sync() error {
	f.syncs.Add(1)
	return f.File.Sync()
}
