package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
	"sluice/sink"
)

// deadLetters keeps the readings that one sink has rejected for good, one
// DeadLetter per line, synced before the cursor moves. In the folder dead there are
//
//	SINK.ndjson      the newest; when it is full it becomes
//	SINK.ndjson.1    and the one before goes, counted
//	SINK.replay.N    those that are to be delivered once more, in the order of N
//	SINK.progress    how far that has come
//
// It is safe for concurrent use: the delivery keeps and replays, commands look,
// ask for a replay and drop.
type deadLetters struct {
	dir  string
	path string // of the newest
	sink string
	max  int64 // bytes of one file
	fs   journal.FS
	log  *slog.Logger

	wake    chan struct{} // a command tells the delivery; never closed; one signal says "look again"
	pending atomic.Bool   // there may be letters to replay
	evicted atomic.Uint64 // letters that went for want of room
	dropped atomic.Uint64 // letters that a command has deleted

	mu     sync.Mutex // guards the files' names, and all below
	whole  bool       // the newest ends with a whole line
	writer letterWriter
	buf    []byte
}

// deadSize bounds the dead letters of a sink to twice this, without those that are
// being replayed.
const deadSize = 8 << 20

func newDeadLetters(dir, name string, files journal.FS, log *slog.Logger) *deadLetters {
	d := &deadLetters{
		dir: dir, path: filepath.Join(dir, name+letterSuffix), sink: name, max: deadSize, fs: files, log: log,
		wake: make(chan struct{}, 1), writer: letterWriter{encoder: newEncoder()},
	}
	d.pending.Store(true) // what a run before has left
	return d
}

// keep writes down the rejected ones of readings; first says when a reading was
// first tried.
func (d *deadLetters) keep(readings []protocol.Reading, rejected []sink.Rejection, first func(protocol.ID) time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buf = d.buf[:0]
	now := time.Now()
	for _, x := range rejected {
		r := &readings[x.Index]
		d.buf = d.writer.append(d.buf, d.sink, r, x.Err.Error(), first(r.ID), now)
	}
	return d.append(d.buf)
}

// keepAgain writes down lines that are dead letters already.
func (d *deadLetters) keepAgain(lines []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.append(lines)
}

// append adds whole lines. d.mu is held.
func (d *deadLetters) append(lines []byte) error {
	if err := d.write(lines); err != nil {
		return fmt.Errorf("keep dead letters: %w", err)
	}
	return nil
}

func (d *deadLetters) write(lines []byte) error {
	f, size, err := d.newest()
	if err != nil {
		return err
	}
	if size > 0 && size+int64(len(lines)) > d.max {
		f.Close()
		if err := d.rotate(); err != nil {
			return err
		}
		if f, size, err = d.newest(); err != nil {
			return err
		}
	}
	defer f.Close()
	if _, err = f.WriteAt(lines, size); err == nil {
		err = f.Sync()
	}
	if err == nil && size == 0 {
		err = d.fs.SyncDir(d.dir)
	}
	if err != nil {
		cut := f.Truncate(size) // no half of a line stays
		d.whole = cut == nil
		return errors.Join(err, cut)
	}
	return nil
}

// newest opens the file that is written to, cut back to its last whole line. d.mu
// is held.
func (d *deadLetters) newest() (f journal.File, size int64, err error) {
	if f, err = d.fs.Open(d.path); errors.Is(err, fs.ErrNotExist) {
		f, err = d.create()
	}
	if err != nil {
		return nil, 0, err
	}
	if size, err = f.Size(); err == nil && !d.whole {
		// What is behind was never confirmed: it comes again.
		if size, err = lastLine(f, size); err == nil {
			err = f.Truncate(size)
		}
		d.whole = err == nil
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, size, nil
}

func (d *deadLetters) create() (journal.File, error) {
	if _, err := d.fs.List(d.dir); err != nil {
		if err := errors.Join(d.fs.MkdirAll(d.dir), d.fs.SyncDir(filepath.Dir(d.dir))); err != nil {
			return nil, err
		}
	}
	return d.fs.Create(d.path)
}

// rotate makes room by letting the older file go. d.mu is held.
func (d *deadLetters) rotate() error {
	older := d.path + ".1"
	lost, err := d.count(older, 0)
	if err == nil {
		err = d.fs.Rename(d.path, older)
	}
	if err == nil {
		err = d.fs.SyncDir(d.dir)
	}
	if err != nil {
		return err
	}
	if lost > 0 && d.evicted.Add(lost) == lost { // the first time
		d.log.Error("the oldest dead letters are lost: there are more than are kept", "letters", lost, "file", d.path)
	}
	return nil
}

// files returns the paths of what is kept, the oldest first; they need not exist.
func (d *deadLetters) files() []string { return []string{d.path + ".1", d.path} }

// drop deletes the letters last rejected before then, all of them if that is zero,
// and returns how many.
func (d *deadLetters) drop(before time.Time) (letters uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range d.files() {
		n, e := d.dropFrom(path, before)
		letters += n
		err = errors.Join(err, e)
	}
	if letters > 0 {
		err = errors.Join(err, d.fs.SyncDir(d.dir))
	}
	d.dropped.Add(letters)
	if err != nil {
		return letters, fmt.Errorf("drop dead letters: %w", err)
	}
	return letters, nil
}

// dropFrom replaces a file by what stays of it. d.mu is held.
func (d *deadLetters) dropFrom(path string, before time.Time) (letters uint64, err error) {
	var stay []byte
	err = d.lines(path, 0, func(line []byte, _ int64) error {
		if before.IsZero() || isBefore(line, before) {
			letters++
			return nil
		}
		stay = append(stay, line...)
		return nil
	})
	switch {
	case err != nil || letters == 0:
		return 0, err
	case len(stay) == 0:
		err = d.fs.Remove(path)
	default:
		err = d.replace(path, stay)
	}
	if err != nil {
		return 0, err
	}
	return letters, nil
}

// isBefore reports whether a letter was last rejected before then. One that cannot
// be read was not.
func isBefore(line []byte, then time.Time) bool {
	l, err := parseDeadLetter(line)
	return err == nil && l.Last.Before(then)
}

// replace gives a file another content, which is there as a whole or not at all.
func (d *deadLetters) replace(path string, text []byte) error {
	making := path + ".new"
	f, err := d.fs.Create(making)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(text, 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.fs.Rename(making, path)
	}
	if err == nil {
		return nil
	}
	if e := d.fs.Remove(making); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
