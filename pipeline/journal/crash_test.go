package journal_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// TestNoCrashLosesWhatWasCommitted runs random histories on a disk that fails and
// loses power, and holds that every committed record reaches both cursors, once
// per acknowledgement, in order, under an id of its own.
func TestNoCrashLosesWhatWasCommitted(t *testing.T) {
	histories := 600
	if testing.Short() {
		histories = 50
	}
	dir := t.TempDir()
	for seed := range uint64(histories) {
		h := newHistory(seed, dir)
		if err := h.run(); err != nil {
			t.Fatalf("history %d: %v", seed, err)
		}
	}
}

// history is one run of the model.
type history struct {
	rand    *rand.Rand
	disk    *disk
	options journal.Options
	faults  int

	value     uint64          // of the latest record
	committed map[uint64]bool // by value
	ids       map[protocol.ID]uint64
	readers   []*follower
}

// follower is a cursor and what it has read.
type follower struct {
	name   string
	cursor *journal.Cursor
	got    map[uint64]bool
	last   uint64
}

func newHistory(seed uint64, dir string) *history {
	h := &history{
		rand: rand.New(rand.NewPCG(seed, 2)), disk: newDisk(seed), options: options(dir),
		committed: map[uint64]bool{}, ids: map[protocol.ID]uint64{},
		readers: []*follower{{name: "often", got: map[uint64]bool{}}, {name: "rarely", got: map[uint64]bool{}}},
	}
	h.options.FS = h.disk
	if seed%2 == 0 {
		h.faults = 40
	}
	return h
}

func (h *history) run() error {
	for range 12 {
		if err := h.live(); err != nil {
			return err
		}
	}
	j, err := h.open()
	if err != nil {
		return err
	}
	defer j.Abandon()
	for _, f := range h.readers {
		if err := h.read(f); err != nil {
			return err
		}
		for value := range h.committed {
			if !f.got[value] {
				return fmt.Errorf("cursor %s never got %d", f.name, value)
			}
		}
	}
	return nil
}

func (h *history) open() (*journal.Journal, error) {
	j, err := journal.Open(h.options)
	if err != nil {
		return nil, err
	}
	for _, f := range h.readers {
		if f.cursor, err = j.Cursor(f.name, journal.CursorOptions{Start: journal.Oldest}); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// live is the life of one process, up to its end of whatever kind.
func (h *history) live() error {
	j, err := h.open()
	if err != nil {
		return err
	}
	h.disk.faults = h.faults
	for range h.rand.IntN(40) {
		if err := h.step(j); err != nil {
			return err
		}
	}
	h.disk.faults = 0
	for _, c := range j.Stats().Cursors {
		if c.Damaged+c.Evicted.Total() > 0 || c.Carried+c.Journaled+c.Backfilled != c.Delivered+c.InJournal {
			return fmt.Errorf("accounts: %+v", c)
		}
	}
	switch h.rand.IntN(4) {
	case 0:
		return j.Close()
	case 1: // kill -9: the system has all that was written
	default:
		h.disk.cut()
	}
	j.Abandon()
	return nil
}

func (h *history) step(j *journal.Journal) error {
	switch h.rand.IntN(6) {
	case 0, 1, 2:
		h.append(j)
	case 3:
		return h.read(h.readers[0])
	case 4:
		if h.rand.IntN(4) == 0 {
			return h.read(h.readers[1])
		}
	case 5:
		j.Tidy()
	}
	return nil
}

// append tries until the record is committed, as the pipeline does.
func (h *history) append(j *journal.Journal) {
	h.value++
	for !h.committed[h.value] {
		_, err := j.Append(2, func(dst []byte, _ bool) []byte {
			return append(binary.LittleEndian.AppendUint64(dst, h.value), make([]byte, h.rand.IntN(1500))...)
		})
		h.committed[h.value] = err == nil && j.Commit() == nil
	}
}

// read reads and acknowledges all there is.
func (h *history) read(f *follower) error {
	for {
		r, ok, err := f.cursor.Next()
		if err != nil || !ok {
			return err
		}
		end := r.Seq + uint64(r.Count)
		if r.From >= end {
			continue
		}
		value := binary.LittleEndian.Uint64(r.Payload)
		id := protocol.ID{Epoch: r.Epoch, Seq: r.Seq}
		if have, known := h.ids[id]; known && have != value {
			return fmt.Errorf("id %v names %d and %d", id, have, value)
		}
		h.ids[id] = value
		if !f.got[value] && value < f.last {
			return fmt.Errorf("cursor %s gets %d after %d", f.name, value, f.last)
		}
		f.got[value], f.last = true, max(f.last, value)
		f.cursor.Ack(end, journal.Outcome{Delivered: end - max(r.From, r.Seq)})
	}
}
