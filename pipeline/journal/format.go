package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// The layout of FORMAT.md, version 1.
const (
	formatVersion = 1

	segmentHeaderSize = 64
	segmentMagic      = "SLUICEJ\n"

	recordHeaderSize = 32
	recordMagic      = 0x4C53 // "SL"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentHeader begins every segment file.
type segmentHeader struct {
	number uint64        // of the segment, counting up
	first  uint64        // sequence of the first reading in it
	epoch  uint64        // seeds the checksums and is part of every reading's id
	age    time.Duration // of the journal when the segment began, by clock
}

func (h segmentHeader) encode() []byte {
	b := make([]byte, segmentHeaderSize)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint16(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], h.epoch)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint64(b[32:], h.number)
	binary.LittleEndian.PutUint64(b[40:], uint64(h.age))
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b, castagnoli))
	return b
}

var (
	errNotSegment = errors.New("not a segment: the header is damaged")
	errNewer      = errors.New("written by a newer version of the gateway")
	errMisnamed   = errors.New("the header names another number than the file's name: a copy")
	errOverlap    = errors.New("begins before the end of the segment in front of it: a copy or a backup")
)

// mendSegmentHeader rights the one bit of a header that is wrong, if there is
// one, and reports whether it did: the readings behind it are intact.
func mendSegmentHeader(b []byte) bool {
	for bit := range 8 * len(b) {
		b[bit/8] ^= 1 << (bit % 8)
		if string(b[:8]) == segmentMagic && segmentHeaderIntact(b) {
			return true
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
	return false
}

func segmentHeaderIntact(b []byte) bool {
	var clean [segmentHeaderSize]byte
	copy(clean[:], b)
	clear(clean[12:16])
	return crc32.Checksum(clean[:], castagnoli) == binary.LittleEndian.Uint32(b[12:])
}

func decodeSegmentHeader(b []byte) (segmentHeader, error) {
	if len(b) != segmentHeaderSize {
		return segmentHeader{}, errNotSegment
	}
	if string(b[:8]) != segmentMagic && !mendSegmentHeader(b) {
		return segmentHeader{}, errNotSegment
	}
	if !segmentHeaderIntact(b) && !mendSegmentHeader(b) {
		return segmentHeader{}, errNotSegment
	}
	if binary.LittleEndian.Uint16(b[8:]) != formatVersion {
		return segmentHeader{}, errNewer
	}
	return segmentHeader{
		epoch:  binary.LittleEndian.Uint64(b[16:]),
		first:  binary.LittleEndian.Uint64(b[24:]),
		number: binary.LittleEndian.Uint64(b[32:]),
		age:    time.Duration(binary.LittleEndian.Uint64(b[40:])),
	}, nil
}

// recordHeader begins every record; its payload follows at once.
type recordHeader struct {
	version  byte   // one that is newer holds readings that this release cannot tell
	length   uint32 // of the payload, in bytes
	seq      uint64 // of the first reading
	count    uint32 // readings; 0 for a record of notes alone
	accepted int64  // Unix nanoseconds by the gateway's clock
	sum      uint32
}

// checksumSeed is where the checksums of an epoch's records begin. It keeps a
// record of an earlier use of the same disk blocks from being taken for one of
// this segment.
func checksumSeed(epoch uint64) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], epoch)
	return crc32.Update(0, castagnoli, b[:])
}

// seedAt is where the checksum of the record at an offset begins: checksumSeed with
// the offset's lower half mixed in. It keeps a record inside a payload, or one that
// was written to another place, from being taken for one of its own.
func seedAt(seed uint32, off int64) uint32 { return seed ^ uint32(off) }

// recordSum is the CRC32C of the epoch, the record's header without the
// checksum itself, and the payload.
func recordSum(record []byte, seed uint32) uint32 {
	sum := crc32.Update(seed, castagnoli, record[:20])
	return crc32.Update(sum, castagnoli, record[24:])
}

// putRecordHeader fills in the header of a record whose payload stands behind
// the room for it.
func putRecordHeader(record []byte, h recordHeader, seed uint32) {
	binary.LittleEndian.PutUint16(record, recordMagic)
	record[2], record[3] = formatVersion, 0
	binary.LittleEndian.PutUint32(record[4:], uint32(len(record)-recordHeaderSize))
	binary.LittleEndian.PutUint64(record[8:], h.seq)
	binary.LittleEndian.PutUint32(record[16:], h.count)
	binary.LittleEndian.PutUint64(record[24:], uint64(h.accepted))
	binary.LittleEndian.PutUint32(record[20:], recordSum(record, seed))
}

// recordHeaderAt decodes the header at the start of b, and reports whether it
// looks like one; only the checksum proves it.
func recordHeaderAt(b []byte) (recordHeader, bool) {
	if len(b) < recordHeaderSize || binary.LittleEndian.Uint16(b) != recordMagic || b[2] == 0 {
		return recordHeader{}, false
	}
	return recordHeader{
		version:  b[2],
		length:   binary.LittleEndian.Uint32(b[4:]),
		seq:      binary.LittleEndian.Uint64(b[8:]),
		count:    binary.LittleEndian.Uint32(b[16:]),
		sum:      binary.LittleEndian.Uint32(b[20:]),
		accepted: int64(binary.LittleEndian.Uint64(b[24:])),
	}, true
}
