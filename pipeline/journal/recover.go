package journal

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"syscall"
	"time"
)

// recover takes stock of the segments and finds the end of the log.
func (j *Journal) recover() error {
	err := j.takeSegments(func(name string, err error) {
		// Kept as it is, for people and for newer versions.
		j.opts.Log.Error("journal leaves a file aside", "file", name, "err", err)
		j.tally.repairs[FileAside]++
		j.aside = append(j.aside, AsideView{name, err.Error()})
	})
	if err != nil {
		return err
	}
	var last time.Duration
	if n := len(j.segments); n > 0 {
		last = j.segments[n-1].age
	}
	j.clock = newClock(j.fs, j.dir, last)
	if err := j.recoverEnd(); err != nil {
		return err
	}
	if err := j.fs.SyncDir(j.dir); err != nil {
		j.opts.Log.Error("journal cannot sync its folder: a power cut may take what the last process did not commit", "err", err)
	}
	// What is hidden at the end goes on to be where it is.
	j.next += j.hidden
	if err := j.loadCursors(); err != nil {
		return err
	}
	j.seq = j.next
	if j.opts.Memory {
		j.Degrade()
	}
	return nil
}

// takeSegments opens what is in the folder, in order, and calls aside for what is
// no segment of this log.
func (j *Journal) takeSegments(aside func(name string, err error)) error {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return err
	}
	j.number = 1
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok {
			continue // the spare, the clock, or not ours
		}
		j.number = max(j.number, number+1)
		s, err := j.takeSegment(name, number)
		if err != nil {
			aside(name, err)
			if mayReturn(err) {
				j.hidden += j.hiddenSize(name)
			}
			continue
		}
		j.segments, j.hidden = append(j.segments, s), 0
	}
	return nil
}

// mayReturn reports whether a file left aside for err may be a segment of this log
// at another opening.
func mayReturn(err error) bool {
	return !errors.Is(err, errNotSegment) && !errors.Is(err, errMisnamed) && !errors.Is(err, errOverlap) && !errors.Is(err, syscall.EISDIR)
}

// hiddenSize returns how long a file left aside is, or should be.
func (j *Journal) hiddenSize(name string) uint64 {
	f, err := j.fs.Open(filepath.Join(j.dir, name))
	if err != nil {
		return uint64(j.opts.SegmentSize)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return uint64(j.opts.SegmentSize)
	}
	return uint64(size)
}

// takeSegment opens a file as the next segment of the log.
func (j *Journal) takeSegment(name string, number uint64) (*segment, error) {
	s, err := openSegment(j.fs, filepath.Join(j.dir, name))
	if err != nil {
		return nil, err
	}
	if s.number != number || name != segmentName(number) {
		return nil, errMisnamed
	}
	if n := len(j.segments); n > 0 && s.first < j.segments[n-1].first {
		return nil, errOverlap
	}
	return s, nil
}

// recoverEnd finds the last intact record of the log. Segments without any
// record at its end go; what the one before them holds beyond their first
// sequence was never committed.
func (j *Journal) recoverEnd() error {
	j.next = 1
	limit := uint64(math.MaxUint64)
	for n := len(j.segments); n > 0; n = len(j.segments) {
		s := j.segments[n-1]
		j.next = min(s.first, limit)
		if err := j.rescan(s, limit); err != nil {
			return err
		}
		if s.end > segmentHeaderSize {
			j.reach(s, limit)
			break
		}
		j.empty = append(j.empty, s)
		j.segments, limit = j.segments[:n-1], j.next
	}
	return nil
}

// reach counts as damaged what s does not hold any more of the readings before
// limit, where an empty segment says that the log goes on.
func (j *Journal) reach(s *segment, limit uint64) {
	if limit == math.MaxUint64 || j.next >= limit {
		return
	}
	j.opts.Log.Error("journal is damaged", "segment", s.path, "offset", s.end, "readings_lost", limit-j.next)
	j.tally.repairs[RecordDamaged] += limit - j.next
	j.next = limit
}

// maxUnreadable is how many pages of the last segment are stepped over, since a
// disk may take seconds for each.
const maxUnreadable = 4

// rescan reads all of a segment, tells Recovered of its records, notes where
// they end and cuts off the zeros behind them. A segment that cannot be read to
// its end is left as it is.
func (j *Journal) rescan(s *segment, limit uint64) error {
	f, err := j.fs.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	sc := s.scanner(f, s.size, limit)
	var unread, unreadable int64 // bytes behind the last intact record; pages
	for {
		expected := sc.want
		h, payload, ok := sc.next()
		if !ok && sc.err != nil && unreadable < maxUnreadable {
			from := sc.off
			sc.skipPage()
			unread += sc.off - from
			unreadable++ // or it was the first try
			continue
		}
		if !ok {
			break
		}
		unread = 0
		if lost := h.seq - expected; lost > 0 {
			j.opts.Log.Error("journal is damaged", "segment", s.path, "offset", sc.off, "readings_lost", lost)
			j.tally.repairs[RecordDamaged] += lost
		}
		if j.opts.Recovered != nil {
			j.opts.Recovered(newRecord(s, h, payload))
		}
	}
	if sc.err != nil {
		unread += s.size - sc.off
	}
	if unread > 0 {
		// Go on behind whatever may be there: a reading takes a byte at least.
		j.next = sc.want + uint64(unread)
		j.opts.Log.Error("journal cannot read the end of its log", "segment", s.path, "offset", sc.off, "err", sc.err)
		return nil
	}
	s.end, j.next = sc.off, max(sc.want, sc.past)
	if lost := j.next - sc.want; lost > 0 {
		j.opts.Log.Error("journal ends with records of a newer version", "segment", s.path, "readings_lost", lost)
		j.tally.repairs[RecordDamaged] += lost
	}
	if torn(f, s.end, s.size) {
		j.opts.Log.Warn("journal cuts off an unfinished record: it was never acknowledged", "segment", s.path, "offset", s.end)
		j.tally.repairs[TailTorn]++
	}
	if err := settle(f, s.end); err != nil {
		j.opts.Log.Error("journal cannot sync the end of its log: a power cut may take what the last process did not commit", "segment", s.path, "err", err)
	}
	if s.end > segmentHeaderSize && s.end < s.size && limit == math.MaxUint64 {
		if err := f.Truncate(s.end); err != nil {
			return fmt.Errorf("cut %s: %w", s.path, err)
		}
		s.size = s.end
	}
	return nil
}

// settle makes what was read durable. The process before may have died between
// writing and syncing, or its sync may have failed, after which the system takes
// the pages for written: so they are written anew.
func settle(f File, end int64) error {
	b := make([]byte, window)
	for off := int64(0); off < end; off += int64(len(b)) {
		b = b[:min(int64(len(b)), end-off)]
		if _, err := f.ReadAt(b, off); err != nil {
			return err
		}
		if _, err := f.WriteAt(b, off); err != nil {
			return err
		}
	}
	return f.Sync()
}

// torn reports whether there is anything but zeros from off on.
func torn(f File, off, size int64) bool {
	b := make([]byte, window)
	for ; off < size; off += int64(len(b)) {
		b = b[:min(int64(len(b)), size-off)]
		if _, err := f.ReadAt(b, off); err != nil {
			return false
		}
		if len(bytes.TrimLeft(b, "\x00")) > 0 {
			return true
		}
	}
	return false
}

func newRecord(s *segment, h recordHeader, payload []byte) Record {
	return Record{
		Epoch:    s.epoch,
		Segment:  s.number,
		Seq:      h.seq,
		Count:    int(h.count),
		Accepted: time.Unix(0, h.accepted),
		Payload:  payload,
	}
}
