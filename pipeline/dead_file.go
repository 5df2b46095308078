package pipeline

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"sluice/pipeline/journal"
)

// lineBuffer is how much of a file of dead letters is read at a time.
const lineBuffer = 64 << 10

// eachLine calls each for the whole lines of r, with their ends, and where in r the
// next one begins.
func eachLine(r io.Reader, each func(line []byte, end int64) error) error {
	b := bufio.NewReaderSize(r, lineBuffer)
	end := int64(0)
	for {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // half a line is none
			return nil
		}
		if err != nil {
			return err
		}
		end += int64(len(line))
		if err := each(line, end); err != nil {
			return err
		}
	}
}

// lines calls each for the whole lines of a file from the offset on, and where in
// the file the next one begins. A file that does not exist has none.
func (d *deadLetters) lines(path string, from int64, each func(line []byte, end int64) error) error {
	f, err := d.fs.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	return eachLine(io.NewSectionReader(f, from, size-from), func(line []byte, end int64) error { return each(line, from+end) })
}

// count returns how many lines a file has from the offset on.
func (d *deadLetters) count(path string, from int64) (lines uint64, err error) {
	err = d.lines(path, from, func([]byte, int64) error { lines++; return nil })
	return lines, err
}

// lastLine returns the end of the last whole line of f.
func lastLine(f journal.File, size int64) (int64, error) {
	b := make([]byte, lineBuffer)
	for size > 0 {
		from := max(0, size-lineBuffer)
		part := b[:size-from]
		if _, err := f.ReadAt(part, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		size = from
	}
	return 0, nil
}
