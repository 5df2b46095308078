package journal

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// View is what a journal holds at one moment, to be looked at. It changes nothing
// on disk. Segments may be deleted while it is in use: what was in them counts as
// missing.
type View struct {
	Segments []SegmentView // in the order of the log
	Cursors  []CursorView  // by name
	Aside    []AsideView   // files that are no segments of this log

	fs   FS
	j    *Journal // whose view it is; nil: nobody has it open
	next uint64   // sequence that follows the last reading; 0: not known before it was read
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

// Placed is a record and where it lies.
type Placed struct {
	Record
	Offset int64 // in its segment
	Bytes  int64 // with its header

	past uint64 // behind the readings of the latest record of a newer version before it
}

// AsideView is a file that the journal does not use, and why.
type AsideView struct{ File, Reason string }

// Look views the journal in dir, which no process must have open: it holds the
// folder's lock until done is called. On a file system that is mounted read-only
// nobody can have it open.
func Look(dir string, fs FS) (v *View, done func(), err error) {
	done = func() {}
	lock, err := acquire(filepath.Join(dir, "LOCK"))
	switch {
	case err == nil:
		done = func() { release(lock) }
	case !errors.Is(err, syscall.EROFS):
		return nil, nil, fmt.Errorf("look at journal: %w", err)
	}
	if v, err = look(dir, fs); err != nil {
		done()
		return nil, nil, fmt.Errorf("look at journal: %w", err)
	}
	return v, done, nil
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
	if err != nil && !errors.Is(err, os.ErrNotExist) {
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
			c.Position = decodePlace(body).a
		}
		v.Cursors = append(v.Cursors, c)
	}
	return v, nil
}

// View views the open journal, up to what is committed.
func (j *Journal) View() *View {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := &View{fs: j.fs, j: j, next: j.next}
	for _, s := range j.segments {
		v.add(s)
	}
	for _, c := range j.cursors {
		v.Cursors = append(v.Cursors, CursorView{c.name, c.least(), c.claimed})
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

// dropped reports whether the open journal has deleted segment i since.
func (v *View) dropped(i int) bool {
	if v.j == nil {
		return false
	}
	v.j.mu.Lock()
	defer v.j.mu.Unlock()
	return !slices.ContainsFunc(v.j.segments, func(s *segment) bool { return s.number == v.Segments[i].Number })
}

// First returns the sequence at which the log begins.
func (v *View) First() uint64 {
	if len(v.Segments) == 0 {
		return v.Next()
	}
	return v.Segments[0].First
}

// Next returns the sequence that follows the last reading of the log. Unless the
// journal is open it is found in the last segment.
func (v *View) Next() (next uint64) {
	if v.next > 0 {
		return v.next
	}
	last := len(v.Segments) - 1
	if last < 0 {
		next = 1
		for _, c := range v.Cursors { // it would go on there
			next = max(next, c.Position)
		}
		return next
	}
	if _, r, ok := v.Ends(last); ok {
		return r.Seq + uint64(r.Count)
	}
	return v.Segments[last].First
}

// Records calls each for every intact record from the sequence on, in order, until
// it returns an error. The first of a segment come too, whatever their sequence,
// for their dictionary; Record.From is the sequence asked for.
func (v *View) Records(from uint64, each func(Record) error) error {
	for i := range v.Segments {
		if v.limit(i) <= from {
			continue
		}
		err := v.SegmentRecords(i, func(r Placed) error {
			r.From = from
			return each(r.Record)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SegmentRecords calls each for every intact record of segment i, in order, until
// it returns an error.
func (v *View) SegmentRecords(i int, each func(Placed) error) error {
	return v.scan(i, segmentHeaderSize, each)
}

var errEnough = errors.New("enough was read")

// Ends returns the first and the last intact record of segment i, without their
// payloads and without reading what is between if it can. ok is false when there
// is none.
func (v *View) Ends(i int) (first, last Placed, ok bool) {
	note := func(r *Placed, enough error) func(Placed) error {
		return func(found Placed) error {
			*r, ok = found, true
			r.Payload = nil
			return enough
		}
	}
	_ = v.scan(i, segmentHeaderSize, note(&first, errEnough))
	if !ok {
		return first, last, false
	}
	s := v.Segments[i].segment
	for ahead := int64(window); ; ahead *= 4 {
		from := max(s.end-ahead, first.Offset)
		last = Placed{}
		if _ = v.scan(i, from, note(&last, nil)); last.Bytes > 0 || from == first.Offset {
			return first, last, last.Bytes > 0
		}
	}
}

// scan calls each for the intact records of segment i that begin at the offset or
// behind it.
func (v *View) scan(i int, off int64, each func(Placed) error) error {
	f, err := v.Segments[i].segment.open(v.fs)
	if err != nil {
		return nil // it is gone
	}
	defer f.Close()
	_, err = v.scanFile(i, f, off, each)
	return err
}

// scanFile is scan of a segment that is open as f. What cannot be read is stepped
// over. It returns the sequence behind the readings of the latest record of a newer
// version.
func (v *View) scanFile(i int, f File, off int64, each func(Placed) error) (past uint64, err error) {
	s := v.Segments[i].segment
	sc := s.scanner(f, s.end, v.limit(i))
	sc.off = off
	for {
		h, payload, ok := sc.next()
		switch {
		case ok:
			size := int64(recordHeaderSize + len(payload))
			if err := each(Placed{newRecord(s, h, payload), sc.off - size, size, sc.past}); err != nil {
				return sc.past, err
			}
		case sc.err != nil:
			sc.skipPage()
		default:
			return sc.past, nil
		}
	}
}
