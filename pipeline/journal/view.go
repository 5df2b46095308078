package journal

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
)

// View is what a journal holds at one moment, to be looked at. It changes nothing
// on disk. Segments may be deleted while it is in use: what was in them counts as
// missing.
type View struct {
	Segments []SegmentView // in the order of the log
	Cursors  []CursorView  // by name
	Aside    []AsideView   // files that are no segments of this log

	fs   FS
	next uint64 // sequence that follows the last reading; 0: not known before it was read
}

// SegmentView is one segment.
type SegmentView struct {
	File     string // its name, "" while it is in memory
	Number   uint64
	Epoch    uint64
	First    uint64 // sequence of the first reading
	Size     int64  // bytes on disk, zeros included
	Volatile bool   // in memory alone

	segment *segment
}

// CursorView is one cursor's place.
type CursorView struct {
	Name     string
	Position uint64 // of the next reading that it wants; 0 when its file is damaged
	Claimed  bool   // a running gateway reads it
}

// AsideView is a file that the journal does not use, and why.
type AsideView struct{ File, Reason string }

// Look views the journal in dir, which no process must have open: it holds the
// folder's lock until done is called.
func Look(dir string, fs FS) (v *View, done func(), err error) {
	lock, err := acquire(filepath.Join(dir, "LOCK"))
	if err != nil {
		return nil, nil, fmt.Errorf("look at journal: %w", err)
	}
	if v, err = look(dir, fs); err != nil {
		release(lock)
		return nil, nil, fmt.Errorf("look at journal: %w", err)
	}
	return v, func() { release(lock) }, nil
}

func look(dir string, fs FS) (*View, error) {
	j := &Journal{opts: Options{Dir: dir}, fs: fs, dir: filepath.Join(dir, "journal")}
	v := &View{fs: fs}
	err := j.takeSegments(func(file string, err error) {
		v.Aside = append(v.Aside, AsideView{file, err.Error()})
	})
	if err != nil {
		return nil, err
	}
	for _, s := range j.segments {
		v.add(s)
	}
	names, err := fs.List(filepath.Join(dir, "cursors"))
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name, ok := strings.CutSuffix(file, cursorSuffix)
		if !ok {
			continue
		}
		c := CursorView{Name: name}
		var s slots
		if body, err := s.load(fs, j.cursorPath(name)); err == nil {
			c.Position = decodePlace(body).position
		}
		v.Cursors = append(v.Cursors, c)
	}
	return v, nil
}

// View views the open journal, up to what is committed.
func (j *Journal) View() *View {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := &View{fs: j.fs, next: j.next}
	for _, s := range j.segments {
		v.add(s)
	}
	for _, c := range j.cursors {
		v.Cursors = append(v.Cursors, CursorView{c.name, c.position, c.claimed})
	}
	slices.SortFunc(v.Cursors, func(a, b CursorView) int { return strings.Compare(a.Name, b.Name) })
	v.Aside = slices.Clone(j.aside)
	return v
}

// add takes a copy of s, which may go on changing.
func (v *View) add(s *segment) {
	own := *s
	view := SegmentView{Number: s.number, Epoch: s.epoch, First: s.first, Size: s.size, Volatile: s.mem != nil, segment: &own}
	if s.mem == nil {
		view.File = filepath.Base(s.path)
	} else {
		view.Size = s.end
	}
	v.Segments = append(v.Segments, view)
}

// limit returns the sequence that the readings of segment i do not reach.
func (v *View) limit(i int) uint64 {
	switch {
	case i+1 < len(v.Segments):
		return v.Segments[i+1].First
	case v.next > 0:
		return v.next
	}
	return math.MaxUint64
}

// Records calls each for every intact record from the sequence on, in order, until
// it returns an error. The first of a segment come too, whatever their sequence,
// for their dictionary; Record.From is the sequence asked for.
func (v *View) Records(from uint64, each func(Record) error) error {
	for i := range v.Segments {
		if v.limit(i) <= from {
			continue
		}
		s := v.Segments[i].segment
		_, err := v.scan(i, func(sc *scan, h recordHeader, payload []byte) error {
			r := newRecord(s, h, payload)
			r.From = from
			return each(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scan calls each for the intact records of segment i. What cannot be read is
// stepped over. It returns the sequence behind the readings of the latest record
// of a newer version.
func (v *View) scan(i int, each func(sc *scan, h recordHeader, payload []byte) error) (past uint64, err error) {
	s := v.Segments[i].segment
	f, err := s.open(v.fs)
	if err != nil {
		return 0, nil // it is gone
	}
	defer f.Close()
	sc := s.scanner(f, s.end, v.limit(i))
	for {
		h, payload, ok := sc.next()
		switch {
		case ok:
			if err := each(&sc, h, payload); err != nil {
				return sc.past, err
			}
		case sc.err != nil:
			sc.skipPage()
		default:
			return sc.past, nil
		}
	}
}
