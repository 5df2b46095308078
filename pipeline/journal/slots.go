package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strings"
)

// slots is a cursor's file: two slots written in turn, so that one is whole
// whatever happens while the other is written.
type slots struct {
	generation uint64 // of the slot written last
}

// place is what a slot keeps.
type place struct{ position uint64 }

const (
	slotSize     = 512
	slotMagic    = "SLUICEC\n"
	cursorSuffix = ".cursor"
)

func (j *Journal) cursorPath(name string) string {
	return filepath.Join(j.opts.Dir, "cursors", name+cursorSuffix)
}

func encodeSlot(generation uint64, p place) []byte {
	b := make([]byte, slotSize)
	copy(b, slotMagic)
	binary.LittleEndian.PutUint16(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], generation)
	// Backlog [a, b) and live [c, …): one range until a sink reads live first.
	binary.LittleEndian.PutUint64(b[32:], p.position)
	binary.LittleEndian.PutUint64(b[40:], p.position)
	binary.LittleEndian.PutUint64(b[48:], p.position)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b, castagnoli))
	return b
}

func decodeSlot(b []byte) (generation uint64, p place, ok bool) {
	if string(b[:8]) != slotMagic || binary.LittleEndian.Uint16(b[8:]) != formatVersion {
		return 0, place{}, false
	}
	sum := binary.LittleEndian.Uint32(b[12:])
	clean := append([]byte(nil), b...)
	binary.LittleEndian.PutUint32(clean[12:], 0)
	if crc32.Checksum(clean, castagnoli) != sum {
		return 0, place{}, false
	}
	return binary.LittleEndian.Uint64(b[16:]), place{position: binary.LittleEndian.Uint64(b[32:])}, true
}

// save writes p to the older slot.
func (s *slots) save(fs FS, path string, p place, sync bool) error {
	f, err := fs.Open(path)
	if err != nil {
		if f, err = fs.Create(path); err != nil {
			return err
		}
	}
	generation := s.generation + 1
	_, err = f.WriteAt(encodeSlot(generation, p), int64(generation%2)*slotSize)
	if err == nil && sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	s.generation = generation
	return nil
}

// load reads the newer intact slot.
func (s *slots) load(fs FS, path string) (place, error) {
	f, err := fs.Open(path)
	if err != nil {
		return place{}, err
	}
	defer f.Close()
	var found bool
	var newest place
	for i := range int64(2) {
		b := make([]byte, slotSize)
		if n, _ := f.ReadAt(b, i*slotSize); n < slotSize {
			continue
		}
		if g, p, ok := decodeSlot(b); ok && (!found || g > s.generation) {
			found, newest, s.generation = true, p, g
		}
	}
	if !found {
		return place{}, fmt.Errorf("%s holds no intact place", path)
	}
	return newest, nil
}

// loadCursors takes up every cursor there is a file of, also of sinks that are
// not configured any more. One whose file is damaged begins at the oldest
// reading: better twice than never. A place before the log moves to its
// beginning, counted as evicted. A place beyond its end moves the end: the log
// has lost what was delivered already, and what comes must not be taken for it.
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
		var s slots
		p, err := s.load(j.fs, filepath.Join(dir, file))
		if err != nil {
			j.opts.Log.Error("journal has lost a cursor's place and begins at the oldest reading", "cursor", name, "err", err)
			p.position = j.oldest()
		}
		places[name], found[name] = p, s
		if p.position > j.next {
			j.opts.Log.Error("journal has lost readings at its end", "cursor", name, "position", p.position, "end", j.next)
			j.next = p.position
		}
	}
	for name, p := range places {
		c := j.newCursor(name, p.position)
		c.slots = found[name]
		c.evict(j.oldest())
	}
	return nil
}

// saveCursors writes down the places that have changed, or all of them durably.
func (j *Journal) saveCursors(sync bool) error {
	type move struct {
		c  *Cursor
		to uint64
	}
	j.mu.Lock()
	var moves []move
	for _, c := range j.cursors {
		if sync || c.position != c.saved {
			moves = append(moves, move{c, c.position})
		}
	}
	j.mu.Unlock()
	var errs []error // one cursor's trouble is its own
	for _, m := range moves {
		if err := m.c.slots.save(j.fs, j.cursorPath(m.c.name), place{position: m.to}, sync); err != nil {
			errs = append(errs, fmt.Errorf("save cursor %s: %w", m.c.name, err))
			continue
		}
		j.mu.Lock()
		m.c.saved = m.to
		j.mu.Unlock()
	}
	return errors.Join(errs...)
}
