package nats

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/fnv"

	"github.com/nats-io/nats.go/jetstream"
)

// A memory is its version, the stream's identity, the scope and the mark, the
// numbers big-endian.
const (
	memoryVersion = 1
	memorySize    = 1 + 16 + 8 + 8
)

// place is what a Sink remembers over restarts: every message of this gateway in
// that stream up to the mark is a reading that the delivery counts as delivered.
type place struct {
	stream identity
	scope  uint64 // of the messages behind the mark, 0 when they had several
	mark   uint64 // a sequence of the stream
}

// identity tells a stream from one that took its name later. The zero identity
// is that of no stream.
type identity [16]byte

func identityOf(info *jetstream.StreamInfo) (id identity) {
	text := binary.BigEndian.AppendUint64([]byte(info.Config.Name), uint64(info.Created.UnixNano()))
	sum := sha256.Sum256(text)
	copy(id[:], sum[:])
	return id
}

// scopeOf returns a number that tells the subjects from those of another
// configuration, never 0.
func scopeOf(subjects string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(subjects))
	return h.Sum64() | 1
}

func (p place) encode() []byte {
	memory := append(make([]byte, 0, memorySize), memoryVersion)
	memory = append(memory, p.stream[:]...)
	memory = binary.BigEndian.AppendUint64(memory, p.scope)
	return binary.BigEndian.AppendUint64(memory, p.mark)
}

func decodePlace(memory []byte) (p place, err error) {
	if len(memory) != memorySize || memory[0] != memoryVersion {
		return place{}, errors.New("it was written by another version")
	}
	copy(p.stream[:], memory[1:])
	p.scope = binary.BigEndian.Uint64(memory[17:])
	p.mark = binary.BigEndian.Uint64(memory[25:])
	return p, nil
}

// Recall implements sink.Rememberer. Without a memory, or with one that it
// cannot read, the first Write reads back what the stream holds since the oldest
// of its readings was received.
func (s *Sink) Recall(memory []byte) {
	if len(memory) == 0 || s.cfg.Stream == "" {
		return
	}
	p, err := decodePlace(memory)
	if err != nil {
		s.log.Warn("cannot use what was remembered of the stream", "err", err)
		return
	}
	s.history.recall(p)
}

// Remember implements sink.Rememberer.
func (s *Sink) Remember() []byte {
	if s.history.place.stream == (identity{}) {
		return nil
	}
	return s.history.place.encode()
}
