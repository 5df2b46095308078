package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Lane is a range of the journal that is read and acknowledged in order.
type Lane struct {
	c *Cursor

	// Guarded by the journal's mutex.
	position uint64 // everything before it is done with
	read     uint64 // the next sequence to hand out
	until    uint64 // what begins here is not of this lane
	skips    []span // of [position, until): evicted or damaged, ascending, apart
	offset   int64  // in seg, behind what was read

	// Owned by the reader.
	seg      *segment
	file     File
	scan     scan
	failures int // reads in a row
}

// waiting returns how many readings before end are not done with. The journal's
// mutex is held.
func (l *Lane) waiting(end uint64) uint64 {
	if end <= l.position {
		return 0
	}
	n := end - l.position
	for _, s := range l.skips {
		n -= s.to - s.from
	}
	return n
}

// Next returns the next record, and false when all that is committed was read.
// The record may begin before From, and a record whose readings are all before
// From is there for its dictionary: reading begins with the first record of a
// segment, wherever in it the cursor stands.
func (l *Lane) Next() (Record, bool, error) {
	for {
		end, final, err := l.prepare()
		if errors.Is(err, fs.ErrNotExist) && l.forgo(err) {
			continue
		}
		if err != nil || l.seg == nil {
			return Record{}, false, err
		}
		h, payload, ok := l.scan.next()
		switch {
		case ok:
			l.failures = 0
			r := newRecord(l.seg, h, payload)
			l.take(&r)
			return r, true, nil
		case l.scan.err != nil && l.again():
			return Record{}, false, fmt.Errorf("read journal: %w", l.scan.err)
		case l.scan.err != nil:
			l.scan.skipPage()
		case !l.endOf(end, final):
			return Record{}, false, nil
		}
	}
}

// patience is how often a read that fails is tried before its page is stepped over.
const patience = 5

// again counts a read that failed, and reports whether it is worth another try.
// Once one page was given up, others are without one, until something was read.
func (l *Lane) again() bool {
	l.failures++
	return l.failures <= patience
}

// forgo gives up a segment whose file is gone, unless it is the last one.
func (l *Lane) forgo(err error) bool {
	j := l.c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, s := range j.segments[:max(0, len(j.segments)-1)] {
		if j.segments[i+1].first <= l.read {
			continue
		}
		j.opts.Log.Error("journal has lost a segment", "segment", s.path, "err", err)
		j.tally.repairs[SegmentMissing]++
		j.segments = slices.Delete(slices.Clone(j.segments), i, i+1)
		return true
	}
	return false
}

// prepare opens the segment that holds the next reading. There is nothing to be
// read of it from end on; final says that what is missing before will not come.
func (l *Lane) prepare() (end uint64, final bool, err error) {
	j := l.c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	l.hop()
	i := len(j.segments) - 1
	if i < 0 || l.read >= l.until { // no room for the first one yet, or at the end of a backlog
		l.close()
		return 0, false, nil
	}
	for i > 0 && j.segments[i].first > l.read {
		i--
	}
	s := j.segments[i]
	if l.read < s.first {
		l.skip(s.first, &l.c.damaged)
	}
	if s != l.seg {
		l.close()
		if l.file, err = s.open(j.fs); err != nil {
			return 0, false, fmt.Errorf("read journal: %w", err)
		}
		l.seg, l.scan, l.offset = s, s.scanner(l.file, s.end, j.next), segmentHeaderSize
	}
	end, final = min(l.until, j.next), l.until <= j.next
	if i+1 < len(j.segments) {
		end, final = min(end, j.segments[i+1].first), true
	}
	l.scan.limit, l.scan.max = s.end, end
	return end, final, nil
}

// hop steps over what is done with and would be read again after rewind. j.mu is
// held.
func (l *Lane) hop() {
	for _, s := range l.skips {
		if s.from <= l.read {
			l.read = max(l.read, s.to)
		}
	}
}

// take moves the cursor's reading place behind r and says from where r is
// wanted: it may have been evicted while it was being read.
func (l *Lane) take(r *Record) {
	l.c.j.mu.Lock()
	defer l.c.j.mu.Unlock()
	if l.read < r.Seq {
		l.skip(r.Seq, &l.c.damaged)
	}
	r.From = l.read
	l.offset = l.scan.off
	l.read = max(l.read, r.Seq+uint64(r.Count))
}

// endOf accounts for what should have been read before end, and reports whether it
// is worth reading on.
func (l *Lane) endOf(end uint64, final bool) bool {
	j := l.c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if final {
		l.skip(end, &l.c.damaged)
		return true
	}
	if last := j.segments[len(j.segments)-1]; last != l.seg || l.scan.limit != l.seg.end {
		return true // committed or rolled meanwhile
	}
	if l.scan.want < j.next { // the last committed records are damaged
		l.scan.off, l.scan.want = l.scan.limit, j.next
		l.skip(j.next, &l.c.damaged)
	}
	l.c.losing = false
	return false
}

// skip passes over the readings before to, counting those that nobody has counted.
// j.mu is held.
func (l *Lane) skip(to uint64, count *uint64) { l.pass(span{l.read, to}, count) }

// pass takes s, from the place of reading on, for done with, and returns how many
// readings were added to count by that: what was passed before is in it already.
// j.mu is held.
func (l *Lane) pass(s span, count *uint64) uint64 {
	s.from, s.to = max(s.from, l.read), min(s.to, l.until)
	if s.from >= s.to {
		return 0
	}
	n := l.forget(s)
	*count += n
	if s.from == l.read {
		l.read = s.to
	}
	l.settle()
	return n
}

// forget adds s to the spans that need no acknowledgement, and returns how many
// readings of it were not among them. j.mu is held.
func (l *Lane) forget(s span) (fresh uint64) {
	fresh = s.to - s.from
	var list []span
	for _, have := range l.skips {
		if have.to < s.from || s.to < have.from {
			list = append(list, have)
			continue
		}
		if from, to := max(have.from, s.from), min(have.to, s.to); from < to {
			fresh -= to - from
		}
		s = span{min(have.from, s.from), max(have.to, s.to)}
	}
	i := 0
	for i < len(list) && list[i].from < s.from {
		i++
	}
	l.skips = slices.Insert(list, i, s)
	return fresh
}

// Damaged says that n readings from seq on, which were handed out, turned out to
// be unreadable. They need no acknowledgement.
func (l *Lane) Damaged(seq, n uint64) {
	l.c.j.mu.Lock()
	defer l.c.j.mu.Unlock()
	l.c.damaged += l.forget(span{seq, seq + n})
	l.settle()
}

// settle moves the position over what needs no acknowledgement. j.mu is held.
func (l *Lane) settle() {
	for len(l.skips) > 0 && l.skips[0].from <= l.position {
		l.position = max(l.position, l.skips[0].to)
		l.skips = l.skips[1:]
	}
}

// Ack says that every reading before to is done with, and what became of those
// that were not acknowledged before.
func (l *Lane) Ack(to uint64, o Outcome) {
	l.c.j.mu.Lock()
	defer l.c.j.mu.Unlock()
	l.position = max(l.position, to)
	l.settle()
	l.c.count(o)
}

// rewind goes back to what is not acknowledged. The journal's mutex is held.
func (l *Lane) rewind() {
	l.close()
	l.read, l.failures = l.position, 0
}

// close lets go of the segment being read.
func (l *Lane) close() {
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.seg = nil, nil
}
