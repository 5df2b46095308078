package journal

import (
	"fmt"
	"math"
	"path/filepath"
	"time"
)

// recover takes stock of the segments, finds the end of the log, and begins a
// new segment under a new epoch.
func (j *Journal) recover() error {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return err
	}
	j.number, j.epoch = 1, newEpoch()
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok {
			continue // the spare, or not ours
		}
		j.number = max(j.number, number+1)
		s, err := openSegment(j.fs, filepath.Join(j.dir, name))
		if err != nil {
			// Kept as it is, for people and for newer versions.
			j.opts.Log.Error("journal leaves a file aside", "file", name, "err", err)
			continue
		}
		j.segments = append(j.segments, s)
	}
	empty, err := j.recoverEnd()
	if err != nil {
		return err
	}
	if err := j.loadCursors(); err != nil {
		return err
	}
	j.seq = j.next
	if err := j.restart(); err != nil {
		return err
	}
	for _, s := range empty { // now that another segment says where the log goes on
		if err := j.fs.Remove(s.path); err != nil {
			j.opts.Log.Warn("journal cannot delete an empty segment", "segment", s.path, "err", err)
		}
	}
	return nil
}

// restart begins this opening's first segment. On a full disk that waits: what
// is there can be delivered, and room may come.
func (j *Journal) restart() error {
	j.tidy()
	err := j.begin(0)
	if err != nil && len(j.segments) > 0 {
		j.opts.Log.Error("journal cannot begin a segment and tries again", "err", err)
		j.broken = true
		return nil
	}
	return err
}

// recoverEnd finds the last intact record of the log. Segments without any
// record at its end are returned; what the one before them holds beyond their
// first sequence was never committed.
func (j *Journal) recoverEnd() (empty []*segment, err error) {
	j.next = 1
	limit := uint64(math.MaxUint64)
	for n := len(j.segments); n > 0; n = len(j.segments) {
		s := j.segments[n-1]
		j.next = min(s.first, limit)
		if err := j.rescan(s, limit); err != nil {
			return nil, err
		}
		if s.end > segmentHeaderSize {
			break
		}
		empty = append(empty, s)
		j.segments, limit = j.segments[:n-1], j.next
	}
	return empty, nil
}

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
	for {
		expected := sc.want
		h, payload, ok := sc.next()
		if !ok {
			break
		}
		if lost := h.seq - expected; lost > 0 {
			j.opts.Log.Error("journal is damaged", "segment", s.path, "offset", sc.off, "readings_lost", lost)
		}
		if j.opts.Recovered != nil {
			j.opts.Recovered(newRecord(s, h, payload))
		}
	}
	if sc.err != nil {
		// Go on behind whatever may be there: a reading takes a byte at least.
		j.next = sc.want + uint64(s.size-sc.off)
		j.opts.Log.Error("journal cannot read the end of its log", "segment", s.path, "offset", sc.off, "err", sc.err)
		return nil
	}
	s.end, j.next = sc.off, sc.want
	if s.end > segmentHeaderSize && s.end < s.size && limit == math.MaxUint64 {
		if err := f.Truncate(s.end); err != nil {
			return fmt.Errorf("cut %s: %w", s.path, err)
		}
		s.size = s.end
	}
	return nil
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
