package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// ready makes the file at the path one that is open and ends at the place. It is
// looked at each time, since others move, cut and replace files.
func (s *Sink) ready() error {
	info, err := s.disk.Lstat(s.series.path)
	if s.file != nil && !s.dirty && err == nil && os.SameFile(info, s.held) && info.Size() == s.place.At {
		return nil
	}
	s.shut()
	s.attic.stop() // it works on the files that may be wanted back
	if err := s.reopen(); err != nil {
		s.shut()
		return fmt.Errorf("open %s: %w", s.series.path, err)
	}
	s.attic.poke()
	if s.place.Format != s.cfg.Format {
		return s.rotate()
	}
	return nil
}

// reopen opens what stands at the path and decides what it is.
func (s *Sink) reopen() error {
	if err := s.disk.MkdirAll(s.series.dir); err != nil {
		return err
	}
	info, err := s.disk.Lstat(s.series.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.replace(nil)
	}
	if err != nil {
		return err
	}
	if problem := kindProblem(info); problem != "" {
		return errors.New(problem)
	}
	if s.file, err = s.disk.Append(s.series.path); err != nil {
		return err
	}
	mine := s.held != nil && os.SameFile(info, s.held) && info.Size() >= s.place.At
	if !mine {
		if mine, err = s.place.isIn(s.file, info.Size()); err != nil {
			return err
		}
	}
	switch {
	case mine:
		return s.resume(info)
	case s.held == nil && s.place.At == 0:
		return s.adopt(info)
	}
	return s.replace(info)
}

// resume goes on with a file that holds what the place remembers. What is behind
// it was not confirmed and comes again, unless another has written it.
func (s *Sink) resume(info fs.FileInfo) error {
	more := info.Size() - s.place.At
	if more > 0 && s.held != nil && !s.dirty {
		s.log.Warn("another has written to the file, it is rotated", "path", s.series.path, "bytes", more)
		s.held = info
		return s.rotate()
	}
	if s.held == nil {
		err := s.recover(more)
		if errors.Is(err, errTooMuch) {
			s.log.Warn("the journal is older than the file, which is rotated", "path", s.series.path, "bytes", more)
			return s.rotate()
		}
		if err != nil {
			return err
		}
	}
	if more > 0 {
		if err := s.file.Truncate(s.place.At); err != nil {
			return err
		}
		s.log.Info("cut away what was not confirmed, it will be written again", "path", s.series.path, "bytes", more)
	}
	s.held, s.dirty = info, false
	return nil
}

// recover makes the folder what it was when the file ended at the place: only
// the more bytes behind it remain to be cut away.
func (s *Sink) recover(more int64) error {
	if err := s.dropCopies(); err != nil {
		return err
	}
	if more == 0 && !exists(s.disk, s.cutPath()) {
		return nil
	}
	return s.keepCut(func(out io.Writer) error { return s.copyFrom(out, s.series.path, false, s.place.At) })
}

// adopt goes on with a file of which nobody remembers anything, when it looks as
// if it was the sink's: a new sink on an old file, or a sink that never came to
// remember.
func (s *Sink) adopt(info fs.FileInfo) error {
	ours, err := s.looksOurs(s.file, info.Size())
	switch {
	case err != nil:
		return err
	case !ours:
		return s.replace(info)
	}
	return s.take(info)
}

// looksOurs reports whether a file begins as those of the sink do.
func (s *Sink) looksOurs(f handle, size int64) (bool, error) {
	begin := []byte(`{"id":"`)
	if size == 0 {
		return true, nil
	}
	head := make([]byte, min(size, int64(len(begin))))
	if _, err := f.ReadAt(head, 0); err != nil {
		return false, err
	}
	if s.lines == nil {
		return bytes.HasPrefix(begin, head), nil
	}
	return head[0] > ' ' && head[0] != '{' && head[0] != '#', nil
}

// take makes the open file, as it is, the one that is written to.
func (s *Sink) take(info fs.FileInfo) error {
	all, err := s.series.list(s.disk)
	if err != nil {
		return err
	}
	size := info.Size()
	tail, err := readBefore(s.file, size, int(min(size, longestTail)))
	if err != nil {
		return err
	}
	s.place = place{Path: s.place.Path, Format: s.cfg.Format, Began: s.place.Began, Since: time.Now().Unix()}
	if n := len(all); n > 0 {
		s.place.Began = max(s.place.Began, all[n-1].stamp)
	}
	s.place.end(size, tail)
	s.held, s.dirty, s.adopted = info, false, size > 0
	return nil
}

// replace finds the file that the place remembers among the rotated ones, or
// begins a new one. What stands at the path, if anything, is not lost.
func (s *Sink) replace(info fs.FileInfo) error {
	if s.place.At > 0 {
		back, err := s.bringBack(info)
		if err != nil || back {
			return err
		}
		s.log.Warn("the file that was written to is not there any more, a new one is begun", "path", s.series.path, "bytes", s.place.At)
	}
	if info != nil && info.Size() == 0 {
		return s.take(info)
	}
	if info != nil {
		if err := s.setAside(); err != nil {
			return err
		}
	}
	return s.begin()
}

// setAside renames a file at the path that is not the sink's, out of the series,
// so that it is never deleted.
func (s *Sink) setAside() error {
	s.shut()
	aside := s.freeName()
	if err := s.disk.Rename(s.series.path, aside); err != nil {
		return err
	}
	s.log.Warn("the file at the path is not the one that was written to, it is set aside", "path", s.series.path, "as", aside)
	return nil
}

// freeName returns a name outside the series.
func (s *Sink) freeName() string {
	aside := s.series.path + ".aside-" + time.Now().UTC().Format(stampFormat)
	for exists(s.disk, aside) {
		aside += "x"
	}
	return aside
}

// begin creates the file.
func (s *Sink) begin() error {
	s.shut()
	var err error
	if s.file, err = s.disk.Create(s.series.path); err != nil {
		return err
	}
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if err := s.take(info); err != nil {
		return err
	}
	return s.disk.SyncDir(s.series.dir)
}

// dropRepeated cuts away the end of the adopted file that lines repeat: a sink that
// was killed before anything was remembered gets the same readings again. A file
// that ends in another line's middle is set aside.
func (s *Sink) dropRepeated(lines []byte) error {
	size := s.place.At
	end, err := readBefore(s.file, size, int(min(size, int64(len(lines)))))
	if err != nil {
		return fmt.Errorf("read %s: %w", s.series.path, err)
	}
	if at := repeated(end, int64(len(end)) == size, lines); at < len(end) {
		s.place.At, s.dirty = size-int64(len(end)-at), true
		if err := s.file.Truncate(s.place.At); err != nil {
			s.shut()
			return fmt.Errorf("cut %s: %w", s.series.path, err)
		}
		s.dirty = false
	} else if len(end) > 0 && end[len(end)-1] != '\n' {
		if err := s.setAside(); err != nil {
			return fmt.Errorf("open %s: %w", s.series.path, err)
		}
		if err := s.begin(); err != nil {
			return fmt.Errorf("open %s: %w", s.series.path, err)
		}
	}
	s.adopted = false
	return nil
}

// repeated returns where the longest end of a file that is a beginning of lines
// starts in end, at the beginning of a line. With whole, end is all of the file.
func repeated(end []byte, whole bool, lines []byte) int {
	for at := range end {
		if (at == 0 && whole || at > 0 && end[at-1] == '\n') && bytes.HasPrefix(lines, end[at:]) {
			return at
		}
	}
	return len(end)
}
