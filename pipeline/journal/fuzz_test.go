package journal

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// text is a file in memory, for reading.
type text []byte

func (t text) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(t)) {
		return 0, io.EOF
	}
	n := copy(b, t[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (t text) WriteAt([]byte, int64) (int, error) { return 0, os.ErrInvalid }
func (t text) Close() error                       { return nil }
func (t text) Size() (int64, error)               { return int64(len(t)), nil }
func (t text) Truncate(int64) error               { return os.ErrInvalid }
func (t text) Sync() error                        { return nil }

// counting counts what is read of a file.
type counting struct {
	text
	bytes, reads int
}

func (c *counting) ReadAt(b []byte, off int64) (int, error) {
	c.bytes, c.reads = c.bytes+len(b), c.reads+1
	return c.text.ReadAt(b, off)
}

const fuzzEpoch = 0x0123456789abcdef

// fuzzSegment returns a segment of records, without its header.
func fuzzSegment(payloads ...string) []byte {
	b := make([]byte, segmentHeaderSize)
	seq := uint64(1)
	for _, p := range payloads {
		off := int64(len(b))
		record := append(make([]byte, recordHeaderSize), p...)
		putRecordHeader(record, recordHeader{seq: seq, count: 3, accepted: 7}, seedAt(checksumSeed(fuzzEpoch), off))
		b = append(b, record...)
		seq += 3
	}
	return b
}

// FuzzScan scans any bytes, and any bytes whose records were given checksums that
// are right, so that the fuzzer gets behind them.
func FuzzScan(f *testing.F) {
	whole := fuzzSegment("one", "", "three and more", string(bytes.Repeat([]byte("SL"), 50)))
	f.Add(whole, uint64(math.MaxUint64), false)
	f.Add(whole, uint64(7), true)
	f.Add(append(whole[:len(whole)-60:len(whole)-60], whole...), uint64(100), true)
	f.Add(bytes.Repeat([]byte("SL\x01\x00\x20\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), 40), uint64(math.MaxUint64), true)
	last := fuzzSegment("x")
	binary.LittleEndian.PutUint64(last[segmentHeaderSize+8:], math.MaxUint64)
	f.Add(last, uint64(math.MaxUint64), true)
	f.Fuzz(func(t *testing.T, b []byte, limit uint64, reseal bool) {
		if len(b) < segmentHeaderSize || limit == 0 {
			return
		}
		seed := checksumSeed(fuzzEpoch)
		if reseal {
			sealAll(b, seed)
		}
		file := &counting{text: b}
		sc := scan{file: file, seed: seed, off: segmentHeaderSize, limit: int64(len(b)), want: 1, max: limit}
		want, off := uint64(1), int64(segmentHeaderSize)
		for steps := 0; ; steps++ {
			h, payload, ok := sc.next()
			if !ok {
				break
			}
			begin := sc.off - int64(len(payload)) - recordHeaderSize
			switch {
			case steps > len(b)/recordHeaderSize:
				t.Fatal("more records than there is room for")
			case begin < off || sc.off > int64(len(b)):
				t.Fatalf("record at %d, behind %d", begin, off)
			case h.seq < want || sc.want < h.seq || sc.want > limit:
				t.Fatalf("sequence %d to %d after %d, limit %d", h.seq, sc.want, want, limit)
			case recordSum(b[begin:sc.off], seedAt(seed, begin)) != binary.LittleEndian.Uint32(b[begin+20:]):
				t.Fatalf("the record at %d has a wrong checksum", begin)
			case !bytes.Equal(payload, b[begin+recordHeaderSize:sc.off]):
				t.Fatalf("the record at %d has another payload", begin)
			}
			want, off = sc.want, sc.off
		}
		if sc.err != nil {
			t.Fatal(sc.err)
		}
		if cap(sc.buf) > max(window, len(b)) {
			t.Fatalf("holds %d bytes for a segment of %d", cap(sc.buf), len(b))
		}
	})
}

// sealAll gives everything in b that looks like a record a checksum that is right,
// from the front, until one begins inside another.
func sealAll(b []byte, seed uint32) {
	for off := segmentHeaderSize; off+recordHeaderSize <= len(b); off++ {
		h, ok := recordHeaderAt(b[off:])
		end := off + recordHeaderSize + int(h.length)
		if !ok || end > len(b) {
			continue
		}
		binary.LittleEndian.PutUint32(b[off+20:], recordSum(b[off:end], seedAt(seed, int64(off))))
		off = end - 1
	}
}

// FuzzCursorSlots loads any file as a cursor's, saves a place, and loads that.
func FuzzCursorSlots(f *testing.F) {
	sound := append(encodeSlot(2, at(17).encode()), encodeSlot(1, at(9).encode())...)
	f.Add(sound, uint64(20))
	f.Add(sound[:700], uint64(0))
	f.Add(make([]byte, 2*slotSize), uint64(1))
	f.Add(append(encodeSlot(1<<40, at(17).encode()), encodeSlot(1<<40-1, at(9).encode())...), uint64(3))
	f.Add([]byte(nil), uint64(1))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte, position uint64) {
		path := filepath.Join(dir, "x.cursor")
		if err := os.WriteFile(path, b, 0o640); err != nil {
			t.Fatal(err)
		}
		var s slots
		body, err := s.load(OS{}, path)
		if err == nil && len(body) != slotSize-slotBody {
			t.Fatalf("a body of %d bytes", len(body))
		}
		if err := s.save(OS{}, path, at(position).encode(), false); err != nil {
			t.Fatal(err)
		}
		var again slots
		body, err = again.load(OS{}, path)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodePlace(body); got.a != position || got.b != position || got.c != position || len(got.memory) > 0 {
			t.Fatalf("saved %d, loads %+v", position, got)
		}
	})
}

// FuzzSegmentHeader decodes any header, which it may mend in one bit.
func FuzzSegmentHeader(f *testing.F) {
	sound := segmentHeader{number: 7, first: 100, epoch: fuzzEpoch, age: 5}.encode()
	f.Add(sound)
	for _, at := range []int{0, 8, 12, 16, 63} {
		b := bytes.Clone(sound)
		b[at] ^= 4
		f.Add(b)
	}
	f.Add(sound[:63])
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		h, err := decodeSegmentHeader(b)
		if err != nil {
			return
		}
		again, err := decodeSegmentHeader(h.encode())
		if err != nil || again != h {
			t.Fatalf("%+v reads back as %+v, %v", h, again, err)
		}
		bits := 0
		for i := range before {
			for x := before[i] ^ b[i]; x != 0; x &= x - 1 {
				bits++
			}
		}
		if bits > 1 {
			t.Fatalf("mends %d bits", bits)
		}
	})
}
