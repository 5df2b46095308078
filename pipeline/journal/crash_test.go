package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// TestNoCrashLosesWhatWasCommitted runs random histories on a disk that fails,
// fills up and loses power, and holds that every committed record reaches both
// cursors, once per acknowledgement, in order, under an id of its own. What was
// committed to memory may be lost with the process, and nothing else.
//
// SLUICE_HISTORIES says how many, SLUICE_SEED which one.
func TestNoCrashLosesWhatWasCommitted(t *testing.T) {
	histories, workers := uint64(1600), uint64(4)
	if testing.Short() {
		histories = 100
	}
	if n, err := strconv.ParseUint(os.Getenv("SLUICE_HISTORIES"), 10, 64); err == nil {
		histories = n
	}
	if seed, err := strconv.ParseUint(os.Getenv("SLUICE_SEED"), 10, 64); err == nil {
		if err := newHistory(seed, t.TempDir()).run(); err != nil {
			t.Fatal(err)
		}
		return
	}
	for w := range workers {
		t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for seed := w; seed < histories; seed += workers {
				if err := newHistory(seed, dir).run(); err != nil {
					t.Fatalf("SLUICE_SEED=%d: %v", seed, err)
				}
			}
		})
	}
}

// history is one run of the model.
type history struct {
	rand    *rand.Rand
	disk    *disk
	options journal.Options
	faults  int  // of the disk, while a process lives
	fills   bool // the disk fills up now and then
	group   int  // records per commit, at most
	trims   bool
	block   bool // no cursor loses anything for want of room

	value   uint64            // of the latest record
	kept    map[uint64]bool   // values that are durable
	risky   map[uint64]bool   // values that are committed to memory
	seqs    map[uint64]uint64 // of the values committed
	ids     map[protocol.ID]uint64
	trimmed uint64 // readings before it may be gone
	holes   bool   // what was delivered from memory alone may be missing in the log
	readers []*follower
}

// follower is a cursor and what it has read.
type follower struct {
	name   string
	cursor *journal.Cursor
	got    map[uint64]bool
	last   uint64 // value
}

func newHistory(seed uint64, dir string) *history {
	h := &history{
		rand: rand.New(rand.NewPCG(seed, 2)), disk: newDisk(seed), options: options(dir),
		kept: map[uint64]bool{}, risky: map[uint64]bool{}, seqs: map[uint64]uint64{}, ids: map[protocol.ID]uint64{},
		readers: []*follower{{name: "often", got: map[uint64]bool{}}, {name: "rarely", got: map[uint64]bool{}}},
		group:   1,
	}
	h.options.FS, h.options.Volatile = h.disk, 1<<20
	is := func(bit uint) bool { return seed>>bit&1 == 1 }
	if is(0) {
		h.faults = 40
	}
	if h.fills, h.trims, h.block = is(1), is(2) && is(3), is(4) && is(3); is(5) {
		h.options.Retain = time.Hour
	}
	if is(6) {
		h.group = 3
	}
	if h.block {
		h.options.MaxSize = 32 * kib
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
		for value := range h.kept {
			if !f.got[value] && h.seqs[value] >= h.trimmed {
				return fmt.Errorf("cursor %s never got %d", f.name, value)
			}
		}
	}
	if total := j.View().Verify(func(journal.Finding) {}); total.Lost > 0 && h.strict() && !h.holes {
		return fmt.Errorf("verify: %+v", total)
	}
	return h.accounts(j)
}

// strict reports whether nothing can look like damage: in a group whose commit
// failed a record may be torn and the one behind it whole.
func (h *history) strict() bool { return h.group == 1 && h.trimmed == 0 }

func (h *history) open() (*journal.Journal, error) {
	j, err := journal.Open(h.options)
	if err != nil {
		return nil, err
	}
	for _, f := range h.readers {
		o := journal.CursorOptions{Start: journal.Oldest, Block: h.block}
		if h.rand.IntN(4) == 0 {
			o.Was, f.name = f.name, f.name+"'"
		}
		if f.cursor, err = j.Cursor(f.name, o); err != nil {
			return nil, err
		}
	}
	// What is there now has been delivered, and acknowledged as resent.
	err = j.View().Records(0, func(r journal.Record) error {
		value := binary.LittleEndian.Uint64(r.Payload)
		h.kept[value], h.seqs[value] = true, r.Seq
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := len(j.Stats().Cursors); n != len(h.readers) {
		return nil, fmt.Errorf("%d cursors", n)
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
	h.disk.faults, h.disk.capacity = 0, 0
	if err := h.accounts(j); err != nil {
		return err
	}
	defer clear(h.risky)
	if h.rand.IntN(2) == 0 { // in the middle of a group
		h.value++
		_, _ = j.Append(2, h.payload(h.value, h.rand.Uint64()))
		h.seqs[h.value] = 0
	}
	switch h.rand.IntN(4) {
	case 0:
		var blocked *journal.BlockedError // nobody makes room any more for what is in memory
		err := j.Close()
		if err == nil {
			h.secure()
		}
		if errors.As(err, &blocked) && h.block {
			return nil
		}
		return err
	case 1: // kill -9: the system has all that was written
	default:
		h.disk.cut()
	}
	j.Abandon()
	return nil
}

// accounts holds the sinks' equation, and that nothing was lost.
func (h *history) accounts(j *journal.Journal) error {
	s := j.Stats()
	for _, c := range s.Cursors {
		if c.Carried+c.Journaled+c.Backfilled != c.Delivered+c.Damaged+c.Evicted.Total()+c.InJournal {
			return fmt.Errorf("accounts: %+v", c)
		}
		// Room comes before cursors that cannot be saved.
		unsaved := h.block && h.faults > 0
		if c.Damaged > 0 && h.strict() && !h.holes || c.Evicted.Total() > 0 && h.trimmed == 0 && !unsaved {
			return fmt.Errorf("lost: %+v", c)
		}
	}
	for what, n := range s.Repairs {
		if n > 0 && what != journal.TailTorn && h.strict() {
			return fmt.Errorf("%s: %d", what, n)
		}
	}
	return nil
}

func (h *history) step(j *journal.Journal) error {
	switch h.rand.IntN(16) {
	case 0, 1, 2, 3, 4, 5, 6:
		return h.append(j)
	case 7, 8, 9:
		return h.read(h.readers[0])
	case 10:
		return h.read(h.readers[1])
	case 11, 12:
		j.Tidy()
	case 13:
		h.disk.capacity = 0
		if h.fills && h.rand.IntN(2) == 0 {
			h.disk.capacity = h.disk.used() + h.rand.IntN(6*kib)
		}
	case 14:
		err := j.Restore()
		if err == nil {
			h.secure()
		}
	case 15:
		return h.turn(j)
	}
	return nil
}

// secure makes what was in memory durable.
func (h *history) secure() {
	for value := range h.risky {
		h.kept[value] = true
	}
	clear(h.risky)
}

// append tries until a group of records is committed, as the pipeline does.
func (h *history) append(j *journal.Journal) error {
	first := h.value + 1
	h.value += 1 + uint64(h.rand.IntN(h.group))
	sizes := h.rand.Uint64()
	for failures := 0; ; {
		err := h.appendGroup(j, &first, sizes)
		if err == nil {
			err = j.Commit()
		}
		if err == nil {
			break
		}
		var blocked *journal.BlockedError
		switch failures++; {
		case failures > 100:
			return fmt.Errorf("append for ever: %w", err)
		case errors.As(err, &blocked):
			if !h.block {
				return err
			}
			for _, f := range h.readers {
				if err := h.read(f); err != nil {
					return err
				}
			}
			j.Tidy()
		case failures >= 2 && !j.Volatile():
			j.Degrade()
			h.holes = h.holes || h.options.Retain == 0
		}
	}
	h.committed(j, first, h.value+1)
	return nil
}

// committed notes that the values from one to before another are committed.
func (h *history) committed(j *journal.Journal, from, to uint64) {
	for value := from; value < to; value++ {
		if j.Volatile() {
			h.risky[value] = true
		} else {
			h.kept[value] = true
		}
	}
}

// appendGroup appends the records of the values from first on. What a full segment
// makes it commit is not appended again.
func (h *history) appendGroup(j *journal.Journal, first *uint64, sizes uint64) error {
	for value := *first; value <= h.value; {
		seq, err := j.Append(2, h.payload(value, sizes))
		switch {
		case errors.Is(err, journal.ErrFull):
			if err := j.Commit(); err != nil {
				return err
			}
			h.committed(j, *first, value)
			*first = value
		case err != nil:
			return err
		default:
			h.seqs[value] = seq
			value++
		}
	}
	return nil
}

func (h *history) payload(value, sizes uint64) func([]byte, bool) []byte {
	return func(dst []byte, _ bool) []byte {
		return append(binary.LittleEndian.AppendUint64(dst, value), make([]byte, sizes>>(16*(value%4))%1500)...)
	}
}

// read reads and acknowledges all there is.
func (h *history) read(f *follower) error {
	if f.cursor.Replayed() {
		f.last = 0
	}
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
		if !f.got[value] && value < f.last && r.Seq >= h.trimmed {
			return fmt.Errorf("cursor %s gets %d after %d", f.name, value, f.last)
		}
		f.got[value], f.last = true, max(f.last, value)
		f.cursor.Ack(end, journal.Outcome{Delivered: end - max(r.From, r.Seq)})
	}
}

// turn replays or trims.
func (h *history) turn(j *journal.Journal) error {
	s := j.Stats()
	place := s.First + h.rand.Uint64N(s.Next-s.First+1)
	if h.trims && h.rand.IntN(3) == 0 {
		h.trimmed = max(h.trimmed, place)
		j.Trim(place)
		return nil
	}
	return h.replay(j, h.readers[h.rand.IntN(2)], place)
}

// replay turns a reader back and holds that everything still there comes again.
func (h *history) replay(j *journal.Journal, f *follower, from uint64) error {
	n, err := j.Replay(f.name, from)
	if err != nil || n == 0 {
		return err
	}
	if h.rand.IntN(3) == 0 {
		return nil // a reader at work, which is told later, or after a crash
	}
	if !f.cursor.Replayed() {
		return fmt.Errorf("cursor %s is not told to turn back", f.name)
	}
	before := f.got
	f.got, f.last = map[uint64]bool{}, 0
	if err := h.read(f); err != nil {
		return err
	}
	for value := range h.kept {
		if !h.holes && !f.got[value] && h.seqs[value] >= max(from, h.trimmed) {
			return fmt.Errorf("replay to %s from %d leaves out %d at %d", f.name, from, value, h.seqs[value])
		}
	}
	for value := range before {
		f.got[value] = true
	}
	return nil
}
