package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// Record is a record of an Archive, with what its payload says beside its readings.
type Record struct {
	journal.Placed
	File       string // of its segment, "" in memory
	Missing    uint64 // readings lost in front of it
	Generation uint64 // of its dictionary
	Devices    []string
	Metrics    []string // devices and metrics that are declared in it
	Notes      []Note
	Problem    error // why its payload cannot be read
}

// Note is what a record says about one driver's messages.
type Note struct {
	Driver string
	Lost   bool     // the session with the broker had ended: nothing older comes again
	Acked  []uint16 // packet ids of messages acknowledged to the broker
	Kept   []uint16 // of those kept; in a segment's first record all that are not acknowledged
}

// Latest calls each for the last limit records of the log, in order; 0: for all.
func (a *Archive) Latest(ctx context.Context, limit uint64, each func(Record) error) error {
	if limit == 0 {
		limit = math.MaxUint64
	}
	first, skip := len(a.view.Segments), uint64(0) // the segment to begin with, and its records that are too many
	for n := uint64(0); first > 0 && n < limit; {
		first--
		if err := a.placed(ctx, first, func(journal.Placed) error { n++; return nil }); err != nil {
			return err
		}
		skip = n - min(n, limit)
	}
	for i := first; i < len(a.view.Segments); i++ {
		if err := a.records(ctx, i, skip, math.MaxUint64, each); err != nil {
			return err
		}
		skip = 0
	}
	return nil
}

// Of calls each for the first limit records of a segment; 0: for all.
func (a *Archive) Of(ctx context.Context, segment, limit uint64, each func(Record) error) error {
	if limit == 0 {
		limit = math.MaxUint64
	}
	for i, s := range a.view.Segments {
		if s.Number == segment {
			return a.records(ctx, i, 0, limit, each)
		}
	}
	if len(a.view.Segments) == 0 {
		return fmt.Errorf("journal has no segment %d: it has none", segment)
	}
	last := a.view.Segments[len(a.view.Segments)-1]
	return fmt.Errorf("journal has no segment %d: it has %d to %d", segment, a.view.Segments[0].Number, last.Number)
}

// records calls each for the records of segment i from number skip on, as many as
// limit.
func (a *Archive) records(ctx context.Context, i int, skip, limit uint64, each func(Record) error) error {
	s := a.view.Segments[i]
	n, expected := uint64(0), s.First
	return a.placed(ctx, i, func(p journal.Placed) error {
		missing := p.Seq - expected
		expected = p.Seq + uint64(p.Count)
		if n++; n <= skip {
			return nil
		}
		if err := each(newRecord(s.File, p, missing)); err != nil {
			return err
		}
		if n-skip >= limit {
			return errEnough
		}
		return nil
	})
}

// placed calls each for the records of segment i until ctx ends.
func (a *Archive) placed(ctx context.Context, i int, each func(journal.Placed) error) error {
	err := a.view.SegmentRecords(i, func(p journal.Placed) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return each(p)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// newRecord reads what a payload says beside its readings.
func newRecord(file string, p journal.Placed, missing uint64) Record {
	rec := Record{Placed: p, File: file, Missing: missing}
	d := newDecoder()
	d.r = reader{b: p.Payload}
	if v := d.r.byte(); v != payloadVersion {
		rec.Problem = versionError(v)
		return rec
	}
	rec.Generation = d.r.uvarint()
	known := d.r // a copy: what follows is read once more
	first := known.uvarint()
	d.learnDevices()
	for _, device := range d.devices[min(first, uint64(len(d.devices))):] {
		rec.Devices = append(rec.Devices, device.Name)
	}
	known = d.r
	first = known.uvarint()
	d.learnMetrics()
	for _, metric := range d.metrics[min(first, uint64(len(d.metrics))):] {
		rec.Metrics = append(rec.Metrics, metric.name)
	}
	readNotes(&d.r, func(n note) {
		rec.Notes = append(rec.Notes, Note{n.driver, n.lost, packets(n.acked), packets(n.kept)})
	})
	if d.r.fixed64(); d.r.bad {
		rec.Problem = errPayload
	}
	return rec
}

func versionError(v byte) error {
	return fmt.Errorf("its payload has version %d, this gateway knows %d", v, payloadVersion)
}

func packets(origins []protocol.Origin) []uint16 {
	ids := make([]uint16, len(origins))
	for i, o := range origins {
		ids[i] = o.PacketID
	}
	return ids
}

// Find calls head for the record that holds the sequence, and then each for its
// readings; r is nil for one that cannot be told from damage.
func (a *Archive) Find(ctx context.Context, seq uint64, head func(Record) error, each func(seq uint64, r *protocol.Reading) error) error {
	i := len(a.view.Segments) - 1
	for i > 0 && a.view.Segments[i].First > seq {
		i--
	}
	d, found := newDecoder(), false
	if i >= 0 {
		s := a.view.Segments[i]
		expected := s.First
		err := a.placed(ctx, i, func(p journal.Placed) error {
			missing := p.Seq - expected
			expected = p.Seq + uint64(p.Count)
			problem := d.begin(p.Record)
			if found = p.Seq <= seq && seq < expected; !found {
				return nil
			}
			if err := head(newRecord(s.File, p, missing)); err != nil {
				return err
			}
			if problem != nil { // told by head
				return errEnough
			}
			if err := eachOf(d, each); err != nil {
				return err
			}
			return errEnough
		})
		if found || err != nil {
			return err
		}
	}
	if first, next := a.First(), a.Next(); seq < first || seq >= next {
		return fmt.Errorf("journal has no reading %d: it holds %d to %d", seq, first, next-1)
	}
	return fmt.Errorf("journal has lost reading %d: its record is damaged", seq)
}

// eachOf calls each for the readings of the record that d has begun.
func eachOf(d *decoder, each func(seq uint64, r *protocol.Reading) error) error {
	var room protocol.Reading
	for {
		room = protocol.Reading{Metrics: room.Metrics[:0]}
		_, ok, err := d.next(&room)
		if !ok {
			return nil
		}
		r := &room
		if err != nil {
			r = nil
		}
		if err := each(d.at-1, r); err != nil {
			return err
		}
	}
}
