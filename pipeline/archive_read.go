package pipeline

import (
	"context"
	"errors"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// errEnough ends a walk through the journal early.
var errEnough = errors.New("enough was read")

// walk calls each for the records from the sequence on, and before it those that
// their segment begins with, until ctx ends or it returns an error.
func (a *Archive) walk(ctx context.Context, from uint64, each func(journal.Record) error) error {
	err := a.view.Records(from, func(r journal.Record) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		return each(r)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// At returns the first reading accepted at t or later, by the gateway's clock, in
// the order of the log; what stands behind it counts as later, whatever that clock
// said. Without such a reading seq is the one that comes next.
func (a *Archive) At(ctx context.Context, t time.Time) (seq uint64, err error) {
	seq = a.Next()
	err = a.walk(ctx, 0, func(r journal.Record) error {
		if r.Count == 0 || r.Accepted.Before(t) {
			return nil
		}
		seq = r.Seq
		return errEnough
	})
	return seq, err
}

// Accepted returns when the reading of the sequence was accepted, or the next one
// that is there; zero when none is.
func (a *Archive) Accepted(ctx context.Context, seq uint64) (t time.Time, err error) {
	err = a.walk(ctx, seq, func(r journal.Record) error {
		if seq >= r.Seq+uint64(r.Count) {
			return nil
		}
		t = r.Accepted
		return errEnough
	})
	return t, err
}

// Selection says which readings are wanted. Zero fields do not restrict.
type Selection struct {
	From, To     uint64    // sequences, To being the first that is not wanted any more
	Since, Until time.Time // of acceptance, as Archive.At finds them
	Device       string
}

// Tally is what became of a selection.
type Tally struct {
	Readings uint64 // that were selected
	Passed   uint64 // of other devices
	Missing  uint64 // damaged, or deleted before they could be read
}

// Readings calls each for the readings of a selection, in the order of the log, until
// ctx ends or it returns an error. It keeps one record in memory. The reading is
// valid until each returns; its device may be kept.
func (a *Archive) Readings(ctx context.Context, want Selection, each func(*protocol.Reading) error) (Tally, error) {
	x := extract{want: want, each: each, decoder: newDecoder(), next: max(want.From, a.First()), end: a.Next()}
	if want.To > 0 {
		x.end = min(x.end, want.To)
	}
	x.begun = want.Since.IsZero()
	err := a.walk(ctx, x.next, x.record)
	if err == nil && x.begun && x.next < x.end {
		x.tally.Missing += x.end - x.next
	}
	return x.tally, err
}

// extract is the way of Readings through the log.
type extract struct {
	want    Selection
	each    func(*protocol.Reading) error
	decoder *decoder
	begun   bool   // what was accepted at Since has come
	next    uint64 // sequence that is wanted next
	end     uint64 // of what is wanted
	reading protocol.Reading
	tally   Tally
}

func (x *extract) record(r journal.Record) error {
	end := r.Seq + uint64(r.Count)
	if end > x.next && r.Count > 0 {
		if !x.begun && r.Accepted.Before(x.want.Since) {
			x.next = end
		} else if err := x.reach(r); err != nil {
			return err
		}
	}
	if err := x.decoder.begin(r); err != nil {
		if x.begun && end > x.next {
			x.tally.Missing += min(end, x.end) - x.next
			x.next = end
		}
		return nil
	}
	if end <= x.next { // it was here for its dictionary
		return nil
	}
	return x.readings()
}

// reach counts what is missing before r, and ends the extract at its end.
func (x *extract) reach(r journal.Record) error {
	if !x.begun {
		x.begun, x.next = true, r.Seq
	}
	if x.next >= x.end {
		return errEnough
	}
	if !x.want.Until.IsZero() && !r.Accepted.Before(x.want.Until) {
		x.end = x.next
		return errEnough
	}
	if r.Seq > x.next {
		x.tally.Missing += min(r.Seq, x.end) - x.next
		x.next = r.Seq
	}
	return nil
}

// readings hands out those of the record that are wanted.
func (x *extract) readings() error {
	for {
		x.reading = protocol.Reading{Metrics: x.reading.Metrics[:0]}
		_, ok, err := x.decoder.next(&x.reading)
		seq := x.decoder.at - 1
		switch {
		case !ok:
			return nil
		case seq >= x.end:
			return errEnough
		case seq < x.next:
			continue
		}
		x.next = seq + 1
		switch {
		case err != nil:
			x.tally.Missing++
		case x.want.Device != "" && x.reading.Device.Name != x.want.Device:
			x.tally.Passed++
		default:
			x.tally.Readings++
			if err := x.each(&x.reading); err != nil {
				return err
			}
		}
	}
}
