package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// slots is a small file of two slots, written in turn, so that one is whole
// whatever happens while the other is written.
type slots struct {
	generation uint64 // of the slot written last
}

const (
	slotSize     = 512
	slotBody     = 32 // offset of what the slot is for
	slotMagic    = "SLUICEC\n"
	cursorSuffix = ".cursor"
	asideSuffix  = ".aside"
)

// place is what a cursor's slot keeps: the backlog [a, b) and the live part [c, …)
// that are yet to be delivered, and what the sink wants to remember.
type place struct {
	a, b, c uint64
	memory  []byte
}

// maxMemory is the room for a sink's memory.
const maxMemory = 400

// at is the place of a cursor without a backlog.
func at(position uint64) place { return place{a: position, b: position, c: position} }

func (p place) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, p.a)
	b = binary.LittleEndian.AppendUint64(b, p.b)
	b = binary.LittleEndian.AppendUint64(b, p.c)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p.memory)))
	return append(b, p.memory...)
}

// decodePlace reads what encode wrote, out of a whole slot's body.
func decodePlace(body []byte) place {
	p := place{
		a: binary.LittleEndian.Uint64(body), b: binary.LittleEndian.Uint64(body[8:]), c: binary.LittleEndian.Uint64(body[16:]),
	}
	if n := int(binary.LittleEndian.Uint16(body[24:])); n > 0 && n <= maxMemory {
		p.memory = body[26 : 26+n]
	}
	return p
}

// place returns where the cursor is, or is to turn back to, but not beyond durable.
// j.mu is held.
func (c *Cursor) place(durable uint64) place {
	p := at(min(c.position, durable))
	switch {
	case c.back != nil:
		p = at(min(c.least(), durable))
	case c.backlog.position < c.backlog.until:
		p.a, p.b = min(c.backlog.position, durable), min(c.backlog.until, durable)
	}
	p.memory = slices.Clone(c.memory)
	return p
}

// moved returns by how many readings p is beyond q; more than any if it is behind,
// and one if only the memory differs.
func (p place) moved(q place) uint64 {
	if p.a < q.a || p.c < q.c {
		return math.MaxUint64
	}
	by := max(p.a-q.a, p.c-q.c)
	if by == 0 && !bytes.Equal(p.memory, q.memory) {
		return 1
	}
	return by
}

func (j *Journal) cursorPath(name string) string {
	return filepath.Join(j.opts.Dir, "cursors", name+cursorSuffix)
}

func encodeSlot(generation uint64, body []byte) []byte {
	b := make([]byte, slotSize)
	copy(b, slotMagic)
	binary.LittleEndian.PutUint16(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], generation)
	copy(b[slotBody:], body)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b, castagnoli))
	return b
}

func decodeSlot(b []byte) (generation uint64, body []byte, ok bool) {
	if string(b[:8]) != slotMagic || binary.LittleEndian.Uint16(b[8:]) != formatVersion {
		return 0, nil, false
	}
	sum := binary.LittleEndian.Uint32(b[12:])
	clean := append([]byte(nil), b...)
	binary.LittleEndian.PutUint32(clean[12:], 0)
	if crc32.Checksum(clean, castagnoli) != sum {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint64(b[16:]), b[slotBody:], true
}

// save writes body to the older slot.
func (s *slots) save(fs FS, path string, body []byte, sync bool) error {
	f, err := fs.Open(path)
	if err != nil {
		if f, err = fs.Create(path); err != nil {
			return err
		}
	}
	generation := s.generation + 1
	_, err = f.WriteAt(encodeSlot(generation, body), int64(generation%2)*slotSize)
	if err == nil && sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.generation = generation
	return nil
}

var errNothingIntact = errors.New("holds nothing intact")

// load returns the body of the newer intact slot.
func (s *slots) load(fs FS, path string) ([]byte, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var newest []byte
	var unread error
	for i := range int64(2) {
		b := make([]byte, slotSize)
		// What a short file lacks counts as zeros, which a later save makes of it.
		if _, err := f.ReadAt(b, i*slotSize); err != nil && !errors.Is(err, io.EOF) {
			unread = err
			continue
		}
		if g, body, ok := decodeSlot(b); ok && (newest == nil || g > s.generation) {
			newest, s.generation = body, g
		}
	}
	switch {
	case newest != nil:
		return newest, nil
	case unread != nil:
		return nil, unread
	default:
		return nil, fmt.Errorf("%s: %w", path, errNothingIntact)
	}
}

// loadCursors takes up every cursor there is a file of, also of sinks that are
// not configured any more. A place before the log moves to its beginning, counted
// as evicted. A place beyond its end moves the end: the log has lost what was
// delivered already, and what comes must not be taken for it.
func (j *Journal) loadCursors() error {
	dir := filepath.Join(j.opts.Dir, "cursors")
	names, err := j.fs.List(dir)
	if err != nil {
		return err
	}
	places := map[string]place{}
	found := map[string]slots{}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, cursorSuffix)
		if !ok {
			continue
		}
		p, s := j.loadPlace(name)
		places[name], found[name] = p, s
		if p.c > j.next {
			j.opts.Log.Error("journal has lost readings at its end", "cursor", name, "position", p.c, "end", j.next)
			j.tally.repairs[EndMissing] += p.c - j.next
			j.next = p.c
		}
	}
	for name, p := range places {
		c := j.newCursor(name, p)
		c.slots = found[name]
	}
	j.evict(span{0, j.oldest()}, missing, func(*Cursor) bool { return true })
	return nil
}

// loadPlace reads a cursor's file. One that is damaged, or that a newer version
// wrote, is kept aside, and the cursor begins at the oldest reading: better twice
// than never.
func (j *Journal) loadPlace(name string) (place, slots) {
	var s slots
	path := j.cursorPath(name)
	body, err := s.load(j.fs, path)
	if err == nil {
		return decodePlace(body), s
	}
	j.opts.Log.Error("journal has lost a cursor's place and begins at the oldest reading", "cursor", name, "err", err)
	j.tally.repairs[CursorLost]++
	if !errors.Is(err, errNothingIntact) && !errors.Is(err, syscall.EISDIR) {
		return at(j.oldest()), s // it may be readable another time
	}
	if err := j.fs.Rename(path, path+asideSuffix); err != nil {
		j.opts.Log.Warn("journal cannot keep a cursor's file aside", "cursor", name, "err", err)
	}
	return at(j.oldest()), slots{}
}

// saveCursors writes down the places that have changed, durably if need be. What
// is volatile is not passed in what is written down.
func (j *Journal) saveCursors(sync bool) error {
	type move struct {
		c  *Cursor
		to place
	}
	j.saveMu.Lock()
	defer j.saveMu.Unlock()
	j.mu.Lock()
	durable := j.next
	if j.solid > 0 {
		durable = j.solid
	}
	var moves []move
	for _, c := range j.cursors {
		if to := c.place(durable); c.worthSaving(to) || sync && (to.moved(c.saved) > 0 || !c.synced) {
			moves = append(moves, move{c, to})
		}
	}
	j.mu.Unlock()
	var errs []error // one cursor's trouble is its own
	for _, m := range moves {
		if err := m.c.slots.save(j.fs, j.cursorPath(m.c.name), m.to.encode(), sync); err != nil {
			errs = append(errs, fmt.Errorf("save cursor %s: %w", m.c.name, err))
			continue
		}
		j.mu.Lock()
		m.c.saved, m.c.savedAt, m.c.synced = m.to, time.Now(), sync
		j.mu.Unlock()
	}
	return errors.Join(errs...)
}

// A place is written down when it has moved by saveReadings, or saveLatest after
// it was last written: at few readings a second the slots would be most of what
// is written.
const (
	saveReadings = 1000
	saveLatest   = time.Second
)

// worthSaving reports whether it is time to write down that the cursor is at to.
// j.mu is held.
func (c *Cursor) worthSaving(to place) bool {
	by := to.moved(c.saved)
	return by >= saveReadings || by > 0 && time.Since(c.savedAt) >= saveLatest
}
