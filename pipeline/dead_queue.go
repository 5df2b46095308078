package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	letterSuffix   = ".ndjson"
	replayInfix    = ".replay."
	progressSuffix = ".progress"

	// maxReplays bounds the files that wait to be replayed.
	maxReplays = 16
)

// progress is how far the letters to replay have been delivered. The number of a
// file is never used again while a progress names it.
type progress struct {
	File   uint64 `json:"file"`
	Offset int64  `json:"offset"` // where the next letter begins
}

func (d *deadLetters) replayPath(n uint64) string {
	return filepath.Join(d.dir, d.sink+replayInfix+strconv.FormatUint(n, 10))
}

func (d *deadLetters) progressPath() string { return filepath.Join(d.dir, d.sink+progressSuffix) }

// replays returns the numbers of the files to replay, in their order. d.mu is held.
func (d *deadLetters) replays() (numbers []uint64, err error) {
	names, err := d.fs.List(d.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, name := range names {
		if sink, n, ok := replayName(name); ok && sink == d.sink {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// replayName takes the name of a file to replay apart.
func replayName(name string) (sink string, n uint64, ok bool) {
	i := strings.LastIndex(name, replayInfix)
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(name[i+len(replayInfix):], 10, 64)
	return name[:i], n, err == nil && n > 0
}

// progress returns what was noted last. Without anything that can be read it is
// the beginning: better twice than never.
func (d *deadLetters) progress() (progress, error) {
	var p progress
	err := d.lines(d.progressPath(), 0, func(line []byte, _ int64) error {
		if json.Unmarshal(line, &p) != nil || p.Offset < 0 {
			p = progress{}
		}
		return nil
	})
	return p, err
}

// note writes p down.
func (d *deadLetters) note(p progress) error {
	text, _ := json.Marshal(p) // numbers alone: cannot fail
	err := d.replace(d.progressPath(), append(text, '\n'))
	if err == nil {
		err = d.fs.SyncDir(d.dir)
	}
	if err != nil {
		return fmt.Errorf("note how far the replay of dead letters is: %w", err)
	}
	return nil
}

// replay makes all letters letters to replay, behind those that are already, and
// returns how many, and how many of them cannot be. Whatever ends it in the middle,
// each letter is the one or the other.
func (d *deadLetters) replay() (letters, unfit uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	numbers, err := d.replays()
	if err != nil {
		return 0, 0, fmt.Errorf("replay dead letters: %w", err)
	}
	if len(numbers) > maxReplays-len(d.files()) {
		return 0, 0, fmt.Errorf("replay dead letters of %s: %d files of them are to be replayed already", d.sink, len(numbers))
	}
	p, err := d.progress()
	if err != nil {
		return 0, 0, fmt.Errorf("replay dead letters: %w", err)
	}
	n := p.File
	for _, have := range numbers {
		n = max(n, have)
	}
	for _, path := range d.files() {
		have, bad, e := d.weigh(path)
		if e == nil && have == 0 {
			continue
		}
		if e == nil {
			n++
			e = d.fs.Rename(path, d.replayPath(n))
		}
		if err = e; err != nil {
			break
		}
		letters, unfit = letters+have, unfit+bad
	}
	if letters > 0 {
		err = errors.Join(err, d.fs.SyncDir(d.dir))
		d.pending.Store(true)
		poke(d.wake)
	}
	if err != nil {
		err = fmt.Errorf("replay dead letters: %w", err)
	}
	return letters, unfit, err
}

// weigh counts the letters of a file, and those that cannot be replayed.
func (d *deadLetters) weigh(path string) (letters, unfit uint64, err error) {
	err = d.lines(path, 0, func(line []byte, _ int64) error {
		letters++
		l, err := parseDeadLetter(line)
		if err == nil {
			_, err = l.id()
		}
		if err != nil {
			unfit++
		}
		return nil
	})
	return letters, unfit, err
}

// next returns the file that is to be replayed now and from where on; 0 when there
// is none.
func (d *deadLetters) next() (progress, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	numbers, err := d.replays()
	if err != nil {
		return progress{}, err
	}
	if len(numbers) == 0 {
		d.pending.Store(false)
		return progress{}, nil
	}
	p, err := d.progress()
	if err != nil {
		return progress{}, err
	}
	if p.File != numbers[0] {
		return progress{File: numbers[0]}, nil
	}
	return p, nil
}

// finish deletes a file that has been replayed.
func (d *deadLetters) finish(n uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fs.Remove(d.replayPath(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// The progress that names it must not outlive it durably with its number
	// free again: the file goes first, and the number is taken as long as the
	// progress is there.
	if err := d.fs.SyncDir(d.dir); err != nil {
		return err
	}
	if err := d.fs.Remove(d.progressPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.fs.SyncDir(d.dir)
}
