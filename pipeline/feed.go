package pipeline

import (
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// feed fills the batches of one delivery from one lane of its cursor. It belongs to
// the delivery, but for since.
type feed struct {
	lane       *journal.Lane
	log        *slog.Logger
	historical bool // its readings come behind newer ones

	decoder *decoder
	open    bool           // the decoder has a record that is not read to its end
	came    time.Time      // when that was accepted
	batch   protocol.Batch // only its readings are used
	rule    batcher
	since   atomic.Int64 // when the oldest reading of the batch was accepted, Unix nanoseconds; 0: no batch
}

func newFeed(lane *journal.Lane, max Batch, log *slog.Logger) *feed {
	return &feed{lane: lane, log: log, decoder: newDecoder(), rule: batcher{max: max}}
}

// pull moves one reading from the journal to the batch, and reports whether
// there may be another.
func (f *feed) pull() (more bool, err error) {
	if !f.open {
		rec, ok, err := f.lane.Next()
		if err != nil || !ok {
			return false, err
		}
		if err := f.decoder.begin(rec); err != nil {
			f.log.Error("journal holds a record that cannot be read", "segment", rec.Segment, "seq", rec.Seq, "err", err)
			if end := rec.Seq + uint64(rec.Count); rec.From < end {
				f.lane.Damaged(rec.From, end-rec.From)
			}
			return true, nil
		}
		f.open, f.came = true, f.accepted()
	}
	r := f.batch.Add()
	size, ok, err := f.decoder.next(r)
	switch {
	case !ok:
		f.open = false
		f.unadd()
	case f.decoder.at <= f.decoder.rec.From: // delivered before
		f.unadd()
	case err != nil:
		f.unadd()
		f.lane.Damaged(f.decoder.at-1, 1)
	default:
		r.Historical = r.Historical || f.historical
		f.rule.add(size, f.came)
		if f.rule.readings == 1 {
			f.since.Store(f.decoder.rec.Accepted.UnixNano())
		}
	}
	return true, nil
}

// fill pulls until the batch is full or there is no more.
func (f *feed) fill() error {
	for !f.rule.full() {
		if more, err := f.pull(); err != nil || !more {
			return err
		}
	}
	return nil
}

// due reports whether the batch is to be written at now; ending, with whatever it
// has.
func (f *feed) due(now time.Time, ending bool) bool {
	return f.rule.readings > 0 && (ending || f.rule.full() || f.rule.due(now) <= 0)
}

// follow hands what f has begun to read over to behind, whose lane is f's of
// before.
func (f *feed) follow(behind *feed) {
	f.decoder, behind.decoder = behind.decoder, f.decoder
	behind.open, behind.came = f.open, f.came
	f.open = false
}

func (f *feed) unadd() { f.batch.Readings = f.batch.Readings[:len(f.batch.Readings)-1] }

// accepted returns when the present record was accepted, by the monotonic clock
// as far as the wall clock allows.
func (f *feed) accepted() time.Time {
	now := time.Now()
	age := now.Sub(f.decoder.rec.Accepted)
	return now.Add(-min(max(age, 0), f.rule.max.MaxAge))
}

// empty begins the next batch.
func (f *feed) empty() {
	f.batch.Reset()
	f.rule.empty()
	f.since.Store(0)
}

// startOver forgets what was read: the lane has turned back.
func (f *feed) startOver() {
	f.open = false
	f.empty()
}

// age returns how long ago the oldest reading of the batch was accepted, by the
// gateway's clock; 0 while there is none, and when the clock was set back. It is
// safe for concurrent use.
func (f *feed) age() time.Duration {
	since := f.since.Load()
	if since == 0 {
		return 0
	}
	return max(0, time.Since(time.Unix(0, since)))
}
