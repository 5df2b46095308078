package pipeline

import (
	"errors"
	"log/slog"
	"time"

	"sluice/protocol"
)

// redo brings dead letters once more to the sink that has rejected them, batch by
// batch, in turn with what comes from the journal. How far it has come is noted
// before the next batch, so that a crash repeats one at most. It belongs to the
// delivery.
type redo struct {
	dead    *deadLetters
	feed    *feed // its batch and rule are used, it has no lane
	letters letterReader
	log     *slog.Logger

	at    progress
	noted bool                      // at is written down
	seen  map[protocol.ID]struct{}  // in this file: a crash can make two letters of one reading
	ends  []int64                   // by reading of the batch: where the next letter begins
	first map[protocol.ID]time.Time // when a reading of the batch was first tried
	done  int                       // readings of the batch that are done with
	again []byte                    // lines that cannot be replayed, to be kept as they are

	turn bool      // the batch before was from here: the journal's comes first
	rest time.Time // not before: the disk fails
	told time.Time // when that was last logged
}

func newRedo(dead *deadLetters, max Batch, log *slog.Logger) *redo {
	return &redo{
		dead: dead, log: log, noted: true, feed: &feed{rule: batcher{max: max}},
		letters: letterReader{decoder: newDecoder()}, first: map[protocol.ID]time.Time{},
	}
}

// next returns the feed whose batch is to be written now, nil when none is: of dead
// letters and of the journal in turn, as far as both have one.
func (d *delivery) next(ending bool) *feed {
	if !ending && !d.redo.turn {
		if f := d.replayed(); f != nil {
			return f
		}
	}
	if f := d.ready(ending); f != nil {
		d.redo.turn = false
		return f
	}
	if ending || !d.redo.turn {
		return nil
	}
	return d.replayed()
}

// replayed returns the feed of dead letters when it has a batch. They keep to the
// rate of what was missed.
func (d *delivery) replayed() *feed {
	now := time.Now()
	if d.clear.After(now) || !d.redo.fill(now) {
		return nil
	}
	d.redo.turn = true
	d.clear = now.Add(d.config.Catchup.Rate.pause(d.redo.feed.rule.readings))
	return d.redo.feed
}

// tried returns when a reading of the batch of f was first tried.
func (d *delivery) tried(f *feed) func(protocol.ID) time.Time {
	return func(id protocol.ID) time.Time {
		if first, ok := d.redo.first[id]; ok && f == d.redo.feed {
			return first
		}
		return d.began
	}
}

// wait returns how long it takes at most until there is a batch; clear is when it
// may be written.
func (r *redo) wait(clear time.Time) time.Duration {
	if !r.dead.pending.Load() {
		return connectEvery
	}
	return max(0, time.Until(clear), time.Until(r.rest))
}

// fill fills the batch and reports whether there is one. While the disk fails there
// is none.
func (r *redo) fill(now time.Time) bool {
	if !r.dead.pending.Load() || r.rest.After(now) {
		return false
	}
	err := r.note()
	for more := true; more && err == nil; {
		more, err = r.read()
	}
	if err == nil {
		return r.feed.rule.readings > 0
	}
	r.drop()
	r.rest = now.Add(connectEvery)
	if r.told.IsZero() || now.Sub(r.told) > tellEvery {
		r.told = now
		r.log.Error("dead letters cannot be replayed now", "err", err)
	}
	return false
}

// read fills the batch from the present file. more says that it has come to
// something else: another look is due.
func (r *redo) read() (more bool, err error) {
	at, err := r.dead.next()
	if err != nil || at.File == 0 {
		r.seen = nil
		return false, err
	}
	if at.File != r.at.File || r.seen == nil {
		if err := r.begin(at); err != nil {
			return false, err
		}
	}
	path := r.dead.replayPath(r.at.File)
	switch err = r.dead.lines(path, r.at.Offset, r.add); {
	case err != nil && !errors.Is(err, errEnough):
		return false, err
	case r.feed.rule.readings > 0:
		return false, nil
	case len(r.again) > 0:
		return true, r.keepAgain()
	}
	r.seen = nil
	return true, r.dead.finish(r.at.File)
}

// begin takes up a file, of which something may be done with.
func (r *redo) begin(at progress) error {
	seen, whole := map[protocol.ID]struct{}{}, int64(0)
	err := r.dead.lines(r.dead.replayPath(at.File), 0, func(line []byte, end int64) error {
		if end > at.Offset {
			return errEnough
		}
		whole = end
		if l, err := parseDeadLetter(line); err == nil {
			if id, err := l.id(); err == nil {
				seen[id] = struct{}{}
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if whole != at.Offset { // no letter begins there: better twice than never
		at.Offset = 0
		clear(seen)
	}
	r.at, r.noted, r.seen = at, true, seen
	return nil
}

// add takes up a line, behind which the next begins at end.
func (r *redo) add(line []byte, end int64) error {
	if r.feed.rule.full() || len(r.again) > lineBuffer {
		return errEnough
	}
	l, err := parseDeadLetter(line)
	var id protocol.ID
	if err == nil {
		id, err = l.id()
	}
	if _, double := r.seen[id]; err == nil && double {
		r.pass(end)
		return nil
	}
	size := 0
	if err == nil {
		if len(r.again) > 0 {
			return errEnough
		}
		if size, err = r.letters.read(&l, r.feed.batch.Add()); err != nil {
			r.feed.unadd()
		}
	}
	if err != nil { // a batch of its own
		if r.feed.rule.readings > 0 {
			return errEnough
		}
		r.again, r.at.Offset = append(r.again, line...), end
		return nil
	}
	r.feed.batch.Readings[len(r.ends)].Historical = true
	r.feed.rule.add(size, time.Time{})
	r.ends, r.first[id], r.seen[id] = append(r.ends, end), l.First, struct{}{}
	return nil
}

// pass steps over a line that is not wanted.
func (r *redo) pass(end int64) {
	if n := len(r.ends); n > 0 {
		r.ends[n-1] = end
		return
	}
	if len(r.again) == 0 {
		r.at.Offset = end
	}
}

// keepAgain makes dead letters of what cannot be replayed.
func (r *redo) keepAgain() error {
	if err := r.dead.keepAgain(r.again); err != nil {
		return err
	}
	r.again, r.noted = r.again[:0], false
	return r.note()
}

// settle notes, behind a delivery, which readings of the batch are done with.
func (r *redo) settle() {
	if r.done > 0 {
		r.at.Offset, r.noted = r.ends[r.done-1], false
	}
	r.drop()
	if err := r.note(); err != nil {
		r.log.Warn("how far the replay of dead letters is cannot be written down", "err", err)
	}
}

// drop begins the next batch. What of this one is not done with is read again,
// from where it is noted.
func (r *redo) drop() {
	if r.done < len(r.ends) || len(r.again) > 0 {
		r.seen = nil
	}
	r.feed.empty()
	r.ends, r.done, r.again = r.ends[:0], 0, r.again[:0]
	clear(r.first)
}

// note writes down how far the replay is.
func (r *redo) note() error {
	if r.noted {
		return nil
	}
	if err := r.dead.note(r.at); err != nil {
		return err
	}
	r.noted = true
	return nil
}
