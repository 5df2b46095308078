package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// cutExt is the ending of the file that keeps what was cut away until the same has
// been written again. Without it, a journal that was restored from a backup would
// delete what was written since, which is in no journal any more.
const cutExt = ".cut"

// largestCut bounds that file. A gateway that was killed leaves far less behind its
// place.
const largestCut = 64 << 20

var errTooMuch = errors.New("more is behind the place than a crash explains")

// cut is what has been cut away.
type cut struct {
	size int64 // of the file that keeps it, 0: there is none
	at   int64 // so much of it has been written again
}

func (s *Sink) cutPath() string { return s.series.path + cutExt }

// keepCut keeps what copyTo copies, all that is behind the place, before it is cut
// away. A gateway that is killed again while it writes the same again finds what
// it kept before.
func (s *Sink) keepCut(copyTo func(out io.Writer) error) error {
	part := s.cutPath() + partExt
	size, err := s.writePart(part, copyTo)
	if err != nil {
		_ = s.disk.Remove(part) // the error tells enough
		return err
	}
	before, err := s.disk.Lstat(s.cutPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		at := s.recalled.at
		if before.Size() != s.recalled.size {
			at = 0 // what is remembered is of another one
		}
		same, err := s.continues(part, at)
		if err == nil && !same && at > 0 { // of another one of the same size
			at = 0
			same, err = s.continues(part, at)
		}
		if err != nil {
			return err
		}
		if same && before.Size()-at >= size {
			s.cut = cut{size: before.Size(), at: at}
			return s.disk.Remove(part)
		}
		if !same {
			if err := s.keepForGood(); err != nil {
				return err
			}
		}
	}
	s.cut = cut{size: size}
	if size == 0 {
		return s.disk.Remove(part)
	}
	if err := s.disk.Rename(part, s.cutPath()); err != nil {
		return err
	}
	return s.disk.SyncDir(s.series.dir)
}

// writePart creates the file called part.
func (s *Sink) writePart(part string, copyTo func(out io.Writer) error) (int64, error) {
	if err := s.disk.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	f, err := s.disk.Create(part)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	out := &bounded{Writer: bufio.NewWriter(f), most: s.largestCut}
	if err := copyTo(out); err != nil {
		return 0, err
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return out.size, f.Sync()
}

// bounded takes no more than most bytes.
type bounded struct {
	*bufio.Writer
	size, most int64
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.size += int64(len(p)); b.size > b.most {
		return 0, errTooMuch
	}
	return b.Writer.Write(p)
}

// ReadFrom hides that of the buffer, which would not be bounded.
func (b *bounded) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{b}, r)
}

// continues reports whether the file called part and what stands behind at in the
// one before are the same, as far as the shorter goes.
func (s *Sink) continues(part string, at int64) (bool, error) {
	before, err := s.disk.Open(s.cutPath())
	if err != nil {
		return false, err
	}
	defer before.Close()
	now, err := s.disk.Open(part)
	if err != nil {
		return false, err
	}
	defer now.Close()
	if _, err := io.CopyN(io.Discard, before, at); err != nil && err != io.EOF {
		return false, err
	}
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(before, a)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		m, err := io.ReadFull(now, b)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		if short := min(n, m); !bytes.Equal(a[:short], b[:short]) {
			return false, nil
		} else if short < len(a) {
			return true, nil
		}
	}
}

// compareCut notes that lines have been written. What was cut away goes when all of
// it has been, and stays for good when it is not the same.
func (s *Sink) compareCut(lines []byte) {
	if s.cut.size == 0 {
		return
	}
	n := min(int64(len(lines)), s.cut.size-s.cut.at)
	same, err := s.isNext(lines[:n])
	switch {
	case err == nil && !same:
		err = s.keepForGood()
	case err == nil:
		if s.cut.at += n; s.cut.at == s.cut.size {
			s.cut = cut{}
			err = s.disk.Remove(s.cutPath())
		}
	}
	if err != nil {
		s.cut = cut{}
		s.log.Warn("cannot look after what was cut away", "path", s.cutPath(), "err", err)
	}
}

func (s *Sink) isNext(lines []byte) (bool, error) {
	f, err := s.disk.Open(s.cutPath())
	if err != nil {
		return false, err
	}
	defer f.Close()
	text := make([]byte, len(lines))
	_, err = f.ReadAt(text, s.cut.at)
	return bytes.Equal(text, lines), err
}

// keepForGood gives what was cut away a name under which it stays.
func (s *Sink) keepForGood() error {
	aside := s.freeName()
	if err := s.disk.Rename(s.cutPath(), aside); err != nil {
		return err
	}
	s.log.Warn("what was cut away is not written again as it was: the journal does not have it any more, or in another order; it is kept",
		"path", s.series.path, "as", aside, "bytes", s.cut.size)
	s.cut = cut{}
	return nil
}

// copyFrom copies what stands behind an offset of a file.
func (s *Sink) copyFrom(out io.Writer, path string, packed bool, from int64) error {
	f, err := s.disk.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := io.Reader(f)
	if packed {
		if in, err = gzip.NewReader(f); err != nil {
			return fmt.Errorf("unpack %s: %w", path, err)
		}
	}
	if _, err := io.CopyN(io.Discard, in, from); err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", path, err)
	}
	_, err = io.Copy(out, in)
	return err
}
