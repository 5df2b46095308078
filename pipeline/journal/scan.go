package journal

import (
	"bytes"
	"encoding/binary"
)

const (
	// window is how much of a segment is read at a time. It bounds what a
	// cursor holds in memory, unless a single record is larger.
	window = 256 << 10

	// maxRecord bounds the length that a damaged header can make us believe.
	maxRecord = 64 << 20
)

// gullible is how many bytes of what looks like records and is none are read and
// summed before longer ones are not believed any more: a payload full of
// beginnings of records must not make scanning quadratic.
const gullible = 4 * maxRecord

// scan steps through the records of one segment, over damage too.
type scan struct {
	file  File
	seed  uint32
	off   int64  // where the next record should begin
	limit int64  // nothing is read from here on
	want  uint64 // sequence that the next record should have
	max   uint64 // records reach no further than this sequence

	past uint64 // behind the readings of the latest record of a newer version

	believed int64 // bytes of what looked like records since the last one

	buf   []byte // of the file, from start
	start int64
	err   error // of the last read: what is there cannot be told
	small bool  // read page by page, since larger reads fail
	wide  bool  // the read that failed was larger
}

// page is what a disk loses at a time.
const page = 4 << 10

// next returns the next intact record. Its sequence is beyond want when readings
// before it are damaged. At the end, and when the rest cannot be read, it
// returns false and leaves off behind the last intact record; s.err tells the
// two apart. The payload is valid until the following call.
func (s *scan) next() (h recordHeader, payload []byte, ok bool) {
	s.err = nil
	if s.want >= s.max {
		return recordHeader{}, nil, false
	}
	for off := s.off; off < s.limit; off++ {
		h, payload, ok = s.at(off)
		if ok && h.version == formatVersion {
			s.off = off + recordHeaderSize + int64(h.length)
			s.want = h.seq + uint64(h.count)
			return h, payload, true
		}
		if ok { // kept for the release that wrote it, and lost to this one
			s.off = off + recordHeaderSize + int64(h.length)
			s.past = h.seq + uint64(h.count)
			off = s.off - 1
			continue
		}
		if s.err != nil {
			break
		}
		if off = s.seek(off + 1); off < 0 || s.err != nil {
			break
		}
		off-- // the loop steps on
	}
	return recordHeader{}, nil, false
}

// skipPage steps over a page that cannot be read. If more than a page was read, it
// is to be found out first which it is.
func (s *scan) skipPage() {
	if s.wide {
		s.wide = false
		return
	}
	s.off = min((s.off/page+1)*page, s.limit)
}

// at returns the record at off if it is one of this segment and in sequence.
func (s *scan) at(off int64) (recordHeader, []byte, bool) {
	h, ok := recordHeaderAt(s.bytes(off, recordHeaderSize))
	if !ok || h.length > maxRecord || h.seq < s.want || h.seq > s.max || uint64(h.count) > s.max-h.seq {
		return recordHeader{}, nil, false
	}
	if h.length > page && int64(h.length) > gullible-s.believed {
		return recordHeader{}, nil, false
	}
	record := s.bytes(off, recordHeaderSize+int(h.length))
	if record == nil || recordSum(record, seedAt(s.seed, off)) != h.sum {
		s.believed += int64(h.length)
		return recordHeader{}, nil, false
	}
	s.believed = 0
	return h, record[recordHeaderSize:], true
}

// seek returns where the magic of a record next appears at or after off, or -1.
func (s *scan) seek(off int64) int64 {
	magic := binary.LittleEndian.AppendUint16(nil, recordMagic)
	for off < s.limit {
		b := s.buffered(off)
		if len(b) < len(magic) {
			b = s.bytes(off, int(min(s.ahead(off), s.limit-off)))
		}
		if len(b) < len(magic) {
			return -1
		}
		if i := bytes.Index(b, magic); i >= 0 {
			return off + int64(i)
		}
		off += int64(len(b) - len(magic) + 1)
	}
	return -1
}

// buffered returns what is in memory from off on.
func (s *scan) buffered(off int64) []byte {
	if i := off - s.start; i >= 0 && i < int64(len(s.buf)) {
		return s.buf[i:]
	}
	return nil
}

// ahead returns how much to read at off: not into the next page, which may be one
// that cannot be read, once a read has failed.
func (s *scan) ahead(off int64) int64 {
	switch rest := page - off%page; {
	case !s.small:
		return window
	case rest == 1: // a magic may lie across the border
		return 1 + page
	default:
		return rest
	}
}

// bytes returns the n bytes at off, or nil if they are not all to be had.
func (s *scan) bytes(off int64, n int) []byte {
	if off+int64(n) > s.limit {
		return nil
	}
	if i := off - s.start; i < 0 || i+int64(n) > int64(len(s.buf)) {
		size := max(n, int(min(s.ahead(off), s.limit-off)))
		if cap(s.buf) < size {
			s.buf = make([]byte, size)
		}
		s.buf, s.start = s.buf[:size], off
		if _, err := s.file.ReadAt(s.buf, off); err != nil {
			s.buf, s.err, s.wide, s.small = s.buf[:0], err, !s.small, true
			return nil
		}
	}
	i := off - s.start
	return s.buf[i : i+int64(n)]
}
