package file

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// isFull reports whether the file has to be rotated before n more bytes.
func (s *Sink) isFull(n int) bool {
	if s.place.At == 0 {
		return false
	}
	age := time.Since(time.Unix(s.place.Since, 0))
	return s.place.At+int64(n) > int64(s.cfg.MaxSize) || s.cfg.MaxAge > 0 && age >= s.cfg.MaxAge
}

// rotate gives the file the name of a rotated one and begins the next. Killed in
// between, the sink finds its place in the rotated file.
func (s *Sink) rotate() error {
	if !s.cfg.Sync {
		if err := s.file.Sync(); err != nil {
			s.dirty = true
			s.shut()
			return fmt.Errorf("rotate %s: %w", s.series.path, err)
		}
	}
	stamp := nextStamp(s.place.Began, time.Now())
	for exists(s.disk, s.series.name(stamp)) || exists(s.disk, s.series.name(stamp)+packedExt) {
		stamp = nextStamp(stamp, time.Time{})
	}
	if err := s.disk.Rename(s.series.path, s.series.name(stamp)); err != nil {
		return fmt.Errorf("rotate %s: %w", s.series.path, err)
	}
	s.place = s.unknown()
	s.place.Began = stamp
	s.held, s.adopted = nil, false
	if err := s.begin(); err != nil {
		return fmt.Errorf("rotate %s: %w", s.series.path, err)
	}
	s.attic.poke()
	return nil
}

// bringBack looks for the file of the place among those that were rotated since.
// It becomes the file again; those after it, and what stands at the path, hold
// what will be written again and go.
func (s *Sink) bringBack(info fs.FileInfo) (bool, error) {
	all, err := s.series.list(s.disk)
	if err != nil {
		return false, err
	}
	since := after(all, s.place.Began)
	for i, r := range since {
		back, err := s.holdsPlace(r)
		if err != nil {
			return false, err
		}
		if !back {
			continue
		}
		err = s.goBackTo(r, since[i+1:], info)
		if errors.Is(err, errTooMuch) {
			return false, nil
		}
		return true, err
	}
	return false, nil
}

// holdsPlace reports whether r is the file of the place. A packed one is unpacked
// up to it, beside itself.
func (s *Sink) holdsPlace(r rotated) (bool, error) {
	f, err := s.disk.Open(r.path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if !r.packed {
		return s.place.isIn(f, r.size)
	}
	part := s.series.path + partExt
	if err := s.unpack(f, part); err != nil {
		return false, err
	}
	p, err := s.disk.Open(part)
	if err != nil {
		return false, err
	}
	defer p.Close()
	info, err := p.Stat()
	if err != nil {
		return false, err
	}
	return s.place.isIn(p, info.Size())
}

// unpack writes as much of the packed file f as the place covers to the file
// called part. A damaged one ends where the damage is.
func (s *Sink) unpack(f io.Reader, part string) error {
	if err := s.disk.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := s.disk.Create(part)
	if err != nil {
		return err
	}
	defer out.Close()
	text := bufio.NewWriter(out)
	if zip, err := gzip.NewReader(f); err == nil {
		_, _ = io.CopyN(text, zip, s.place.At) // what is missing shows in the digest
	}
	if err := text.Flush(); err != nil {
		return err
	}
	return out.Sync()
}

// goBackTo makes r the file again and cuts it to the place. Those in newer go, and
// so does what stands at the path, unless it is another's. Killed in between,
// the sink comes here again.
func (s *Sink) goBackTo(r rotated, newer []rotated, info fs.FileInfo) error {
	if err := s.keepCut(func(out io.Writer) error { return s.copyBehind(out, r, newer, info) }); err != nil {
		return err
	}
	if info != nil {
		if err := s.clearPath(info); err != nil {
			return err
		}
	}
	for i := len(newer) - 1; i >= 0; i-- {
		if err := s.disk.Remove(newer[i].path); err != nil {
			return err
		}
	}
	from := r.path
	if r.packed {
		from = s.series.path + partExt
	}
	if err := s.disk.Rename(from, s.series.path); err != nil {
		return err
	}
	if r.packed {
		if err := s.disk.Remove(r.path); err != nil {
			return err
		}
	}
	if err := s.disk.SyncDir(s.series.dir); err != nil {
		return err
	}
	s.log.Info("a rotated file is the present one again, what came after will be written again", "was", r.path, "path", s.series.path)
	return s.openAgain()
}

// copyBehind copies all that was written behind the place in r.
func (s *Sink) copyBehind(out io.Writer, r rotated, newer []rotated, info fs.FileInfo) error {
	if err := s.copyFrom(out, r.path, r.packed, s.place.At); err != nil {
		return err
	}
	for _, n := range newer {
		if n.stamp == r.stamp {
			continue // the same, not packed
		}
		if err := s.copyFrom(out, n.path, n.packed, 0); err != nil {
			return err
		}
		r = n
	}
	if info == nil {
		return nil
	}
	if ours, err := s.looksOurs(s.file, info.Size()); err != nil || !ours {
		return err
	}
	return s.copyFrom(out, s.series.path, false, 0)
}

// dropCopies removes the packed form of the present file, which stays behind when
// the sink is killed while it goes back to it. One that was not cut by the sink may
// hold more, and is only taken out of the series.
func (s *Sink) dropCopies() error {
	all, err := s.series.list(s.disk)
	if err != nil {
		return err
	}
	for _, r := range after(all, s.place.Began) {
		if !r.packed {
			continue
		}
		same, err := s.holdsPlace(r)
		switch {
		case err != nil:
		case same && exists(s.disk, s.cutPath()):
			err = s.disk.Remove(r.path)
		case same:
			err = s.disk.Rename(r.path, s.freeName()+packedExt)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clearPath removes a file whose lines will be written again.
func (s *Sink) clearPath(info fs.FileInfo) error {
	ours, err := s.looksOurs(s.file, info.Size())
	if err != nil {
		return err
	}
	if !ours {
		return s.setAside()
	}
	s.shut()
	return s.disk.Remove(s.series.path)
}

// openAgain opens the file that holds the place.
func (s *Sink) openAgain() error {
	var err error
	if s.file, err = s.disk.Append(s.series.path); err != nil {
		return err
	}
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if more := info.Size() - s.place.At; more > 0 {
		if err := s.file.Truncate(s.place.At); err != nil {
			return err
		}
	}
	s.held, s.dirty = info, false
	return nil
}
