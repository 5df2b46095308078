package journal

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// Tidy does at once what Tend does every so often.
func (j *Journal) Tidy() {
	j.prepareSpare()
	j.tidy()
}

// Abandon gives the folder free as the end of a process does.
func (j *Journal) Abandon() { release(j.lock) }

// Checksum continues a CRC32C.
func Checksum(sum uint32, b []byte) uint32 { return crc32.Update(sum, castagnoli, b) }

// ResealRecord gives a record of an epoch a checksum that is right.
func ResealRecord(record []byte, epoch uint64, off int64) {
	binary.LittleEndian.PutUint32(record[20:], recordSum(record, seedAt(checksumSeed(epoch), off)))
}

// ResealSlot gives a slot a checksum that is right.
func ResealSlot(slot []byte) {
	binary.LittleEndian.PutUint32(slot[12:], 0)
	binary.LittleEndian.PutUint32(slot[12:], Checksum(0, slot))
}

// Slots returns the file of a cursor that stands at position.
func Slots(position uint64) []byte {
	return append(encodeSlot(2, at(position).encode()), encodeSlot(1, at(1).encode())...)
}

// EncodeRecord returns a record of an epoch that belongs to an offset.
func EncodeRecord(epoch uint64, off int64, seq uint64, count int, payload []byte) []byte {
	record := append(make([]byte, recordHeaderSize), payload...)
	putRecordHeader(record, recordHeader{seq: seq, count: uint32(count), accepted: 1}, seedAt(checksumSeed(epoch), off))
	return record
}

// WriteClock writes down that the journal in dir was in use for age, in this boot
// or another, when the machine was up for ago less than now.
func WriteClock(dir string, age time.Duration, sameBoot bool, ago time.Duration) {
	boot, up, _ := uptime()
	if !sameBoot {
		boot++
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(age))
	b = binary.LittleEndian.AppendUint64(b, boot)
	b = binary.LittleEndian.AppendUint64(b, uint64(up-ago))
	path := filepath.Join(dir, "journal", "clock")
	if err := os.WriteFile(path, append(encodeSlot(2, b), make([]byte, slotSize)...), 0o640); err != nil {
		panic(err)
	}
}

// FormatVersion is that of what this release writes.
const FormatVersion = formatVersion
