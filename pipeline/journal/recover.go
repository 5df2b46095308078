package journal

import (
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
	if err := j.recoverEnd(); err != nil {
		return err
	}
	if err := j.loadCursors(); err != nil {
		return err
	}
	return j.begin(0)
}

// recoverEnd finds the last intact record of the log. A last segment without any
// record goes, and what the one before it holds beyond its successor's first
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
			break
		}
		if err := j.fs.Remove(s.path); err != nil {
			return err
		}
		j.segments, limit = j.segments[:n-1], j.next
	}
	j.seq = j.next
	return nil
}

// rescan reads all of a segment, tells Recovered of its records and notes where
// they end.
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
	s.end, j.next = sc.off, sc.want
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
