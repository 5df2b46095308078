package journal_test

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"sluice/pipeline/journal"
)

// disk is a file system that a power cut takes back to what was synced, with any
// part of what was not: whole sectors of writes, a beginning of the changes of
// names. Any operation may fail, and a sync that fails forgets its writes. When it
// is full, files do not grow.
type disk struct {
	rand     *rand.Rand
	faults   int // one in so many operations fails; 0: none
	capacity int // bytes of all files; 0: enough

	names   map[string]*inode // as a process sees them
	kept    map[string]*inode // as a power cut leaves them
	changes map[string][]change
}

type inode struct {
	seen, kept []byte
	writes     []write // since the last sync
}

type write struct {
	off  int64
	text []byte
}

// change is a change of names in a folder that is not synced.
type change struct {
	from, to string // from "": created; to "": removed
	file     *inode
}

var errFault = errors.New("injected")

const sector = 512

func newDisk(seed uint64) *disk {
	return &disk{rand: rand.New(rand.NewPCG(seed, 1)), names: map[string]*inode{}, kept: map[string]*inode{}, changes: map[string][]change{}}
}

func (d *disk) fails() bool { return d.faults > 0 && d.rand.IntN(d.faults) == 0 }

// used returns the bytes of all files.
func (d *disk) used() (sum int) {
	for _, i := range d.names {
		sum += len(i.seen)
	}
	return sum
}

// over returns how many bytes there is no room for when i grows to size.
func (d *disk) over(i *inode, size int) int {
	if d.capacity == 0 || size <= len(i.seen) {
		return 0
	}
	return min(d.used()+size-len(i.seen)-d.capacity, size-len(i.seen))
}

func (d *disk) note(dir string, c change) {
	d.changes[dir] = append(d.changes[dir], c)
}

func (d *disk) MkdirAll(string) error { return nil }

func (d *disk) List(dir string) ([]string, error) {
	var list []string
	for name := range d.names {
		if filepath.Dir(name) == dir {
			list = append(list, filepath.Base(name))
		}
	}
	slices.Sort(list)
	return list, nil
}

func (d *disk) Create(name string) (journal.File, error) {
	if d.fails() {
		return nil, errFault
	}
	i := &inode{}
	d.names[name] = i
	d.note(filepath.Dir(name), change{to: name, file: i})
	return diskFile{d, i}, nil
}

func (d *disk) Open(name string) (journal.File, error) {
	i, ok := d.names[name]
	if !ok {
		return nil, os.ErrNotExist
	}
	return diskFile{d, i}, nil
}

func (d *disk) Rename(from, to string) error {
	i, ok := d.names[from]
	if !ok {
		return os.ErrNotExist
	}
	if d.fails() {
		return errFault
	}
	delete(d.names, from)
	d.names[to] = i
	d.note(filepath.Dir(from), change{from: from, to: to, file: i})
	return nil
}

func (d *disk) Remove(name string) error {
	if _, ok := d.names[name]; !ok {
		return os.ErrNotExist
	}
	delete(d.names, name)
	d.note(filepath.Dir(name), change{from: name})
	return nil
}

func (d *disk) SyncDir(dir string) error {
	if d.fails() {
		return errFault
	}
	d.settle(dir, len(d.changes[dir]))
	return nil
}

// settle makes the first n changes in dir durable and forgets the others.
func (d *disk) settle(dir string, n int) {
	for _, c := range d.changes[dir][:n] {
		if c.from != "" && (c.file == nil || d.kept[c.from] == c.file) {
			delete(d.kept, c.from)
		}
		if c.to != "" {
			d.kept[c.to] = c.file
		}
	}
	d.changes[dir] = nil
}

// cut cuts the power.
func (d *disk) cut() {
	for _, dir := range slices.Sorted(maps.Keys(d.changes)) {
		d.settle(dir, d.rand.IntN(len(d.changes[dir])+1))
	}
	d.names = maps.Clone(d.kept)
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		i := d.names[name]
		d.tear(i)
		i.seen = slices.Clone(i.kept)
	}
}

// tear makes some of the sectors written durable: all, none or any.
func (d *disk) tear(i *inode) {
	mode := d.rand.IntN(3)
	for _, w := range i.writes {
		for at := int64(0); at < int64(len(w.text)); {
			end := min(int64(len(w.text)), (w.off+at)/sector*sector+sector-w.off)
			if mode == 0 || mode == 1 && d.rand.IntN(2) == 0 {
				i.kept = overwrite(i.kept, write{w.off + at, w.text[at:end]})
			}
			at = end
		}
	}
	i.writes = nil
}

func overwrite(b []byte, w write) []byte {
	if end := int(w.off) + len(w.text); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[w.off:], w.text)
	return b
}

type diskFile struct {
	d *disk
	i *inode
}

func (f diskFile) Close() error         { return nil }
func (f diskFile) Size() (int64, error) { return int64(len(f.i.seen)), nil }

func (f diskFile) Truncate(size int64) error {
	f.i.seen = f.i.seen[:size]
	return nil
}

func (f diskFile) ReadAt(b []byte, off int64) (int, error) {
	n := copy(b, f.i.seen[min(off, int64(len(f.i.seen))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f diskFile) WriteAt(b []byte, off int64) (n int, err error) {
	if n = len(b); f.d.fails() {
		n, err = f.d.rand.IntN(len(b)), errFault
	}
	if over := f.d.over(f.i, int(off)+n); over > 0 {
		n, err = max(0, n-over), syscall.ENOSPC
	}
	w := write{off, slices.Clone(b[:n])}
	f.i.seen = overwrite(f.i.seen, w)
	f.i.writes = append(f.i.writes, w)
	return n, err
}

func (f diskFile) Sync() error {
	if f.d.fails() {
		f.d.tear(f.i) // the rest counts as clean and is never written
		return errFault
	}
	for _, w := range f.i.writes {
		f.i.kept = overwrite(f.i.kept, w)
	}
	f.i.writes = nil
	return nil
}
