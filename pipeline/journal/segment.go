package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// segment is one file of the journal.
type segment struct {
	segmentHeader
	path string
	seed uint32 // checksumSeed(epoch)
	size int64  // of the file, zeros included
	end  int64  // behind the last committed record; size when that is not known

	mem  *memory // holds the segment while it is volatile; nil: the file does
	tail *tail   // of the file, nil when it is not kept
}

const (
	segmentSuffix = ".seg"
	spareName     = "spare"
)

func segmentName(number uint64) string { return fmt.Sprintf("%010d%s", number, segmentSuffix) }

// segmentNumber reads the number out of a segment's file name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

// open opens the segment for reading.
func (s *segment) open(fs FS) (File, error) {
	if s.mem != nil {
		return s.mem, nil
	}
	f, err := fs.Open(s.path)
	if err != nil || s.tail == nil {
		return f, err
	}
	return tailed{f, s.tail, s.number}, nil
}

// openSegment reads the header of an existing segment file.
func openSegment(fs FS, path string) (*segment, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, segmentHeaderSize)
	switch _, err := f.ReadAt(b, 0); {
	case errors.Is(err, io.EOF):
		return nil, errNotSegment
	case err != nil:
		return nil, err
	}
	h, err := decodeSegmentHeader(b)
	if err != nil {
		return nil, err
	}
	return &segment{segmentHeader: h, path: path, seed: checksumSeed(h.epoch), size: size, end: size}, nil
}

// scanner returns a scan over the segment's records, all of them before limit
// and before the sequence max.
func (s *segment) scanner(f File, limit int64, max uint64) scan {
	return scan{file: f, seed: s.seed, off: segmentHeaderSize, limit: limit, want: s.first, max: max}
}

// makeSpare writes a file of size zeros to dir/spare, so that a segment can begin
// even when the disk is full, and so that commits need not grow a file.
func makeSpare(fs FS, dir string, size int64) error {
	path := filepath.Join(dir, spareName)
	f, err := fs.Create(path + ".tmp")
	if err != nil {
		// Something else may stand in its place.
		if fs.Remove(path+".tmp") != nil {
			return err
		}
		if f, err = fs.Create(path + ".tmp"); err != nil {
			return err
		}
	}
	if err := writeZeros(f, size); err != nil {
		f.Close()
		fs.Remove(path + ".tmp")
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	err = fs.Rename(path+".tmp", path)
	if err != nil && fs.Remove(path) == nil {
		err = fs.Rename(path+".tmp", path)
	}
	return err
}

func writeZeros(f File, size int64) error {
	zeros := make([]byte, min(size, 64<<10))
	for off := int64(0); off < size; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off); err != nil {
			return err
		}
	}
	return f.Sync()
}

// beginSegment turns the spare in dir into the segment of header h, with the
// records given, and leaves it open for appending. A spare that cannot be written
// is deleted: the next try makes another.
func beginSegment(fs FS, dir string, h segmentHeader, records []byte) (*segment, File, error) {
	spare := filepath.Join(dir, spareName)
	f, err := fs.Open(spare)
	if err != nil {
		return nil, nil, err
	}
	s := &segment{
		segmentHeader: h, path: filepath.Join(dir, segmentName(h.number)), seed: checksumSeed(h.epoch),
		end: segmentHeaderSize + int64(len(records)),
	}
	if s.size, err = f.Size(); err == nil {
		_, err = f.WriteAt(append(h.encode(), records...), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		return nil, nil, errors.Join(err, fs.Remove(spare))
	}
	if err = fs.Rename(spare, s.path); err == nil {
		err = fs.SyncDir(dir)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return s, f, nil
}
