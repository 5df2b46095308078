package nats

import (
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

const (
	// heldFor is how many readings may be confirmed, none of them in doubt,
	// before the mark moves past those in doubt; forgottenAfter, before
	// those are forgotten.
	//
	// The delivery writes each range of its cursor in order, and what is in
	// doubt is the first of its range: it was being written when the
	// connection or the process ended. So it comes back at once, or never:
	// evicted, diverted to a fallback, or another gateway's on subjects that
	// name no gateway. With live_first two ranges alternate, and a drain may
	// be slow beside a fast line; so the mark, which costs reading at the
	// next restart, waits for 100,000 readings, and the ids, which cost a bit
	// each, for a million. Too early a mark matters only at a restart before
	// those in doubt have come.
	heldFor        = 100_000
	forgottenAfter = 1_000_000
)

// always is a time that every reading was received before.
const always = protocol.Timestamp(math.MaxInt64)

// history is what a Sink knows of the readings that it published and the
// delivery does not count as delivered, so that they are written again:
//
//	mark ≤ seen ≤ the stream's last sequence
//
// Of the messages of this gateway, those up to the mark are delivered, those up
// to seen delivered or in stored. What else was published is in unsure, or, when
// unread is set, may be anything.
type history struct {
	place place
	scope uint64 // of this configuration
	seen  uint64
	top   uint64 // the highest sequence that the stream has told, in an acknowledgement or when it was read

	unread bool               // the stream has to be read from seen on before anything is published
	byTime bool               // and from a time on, since seen is not known
	fresh  bool               // that is so because of a restart: any reading may have been published
	gap    protocol.Timestamp // what was received before may have been in a part of the stream that is gone; 0: none is
	lost   string             // how it went

	stored idSet
	unsure idSet
	since  time.Time // the oldest of unsure was published after
	until  time.Time // and the latest before
	quiet  int       // readings confirmed since one of stored was
}

func newHistory(scope uint64) history {
	return history{scope: scope, unread: true, byTime: true, fresh: true}
}

func (h *history) recall(p place) {
	if p.scope != h.scope {
		p.scope = 0
	}
	h.place, h.seen, h.top, h.byTime = p, p.mark, p.mark, false
}

// mustRead reports whether the stream has to be read before anything is
// published, since it recognises an id for no longer than covered.
func (h *history) mustRead(covered time.Duration) bool {
	return h.unread || h.unsure.n > 0 && time.Since(h.since) > covered
}

// recognise compares the stream with what is known of it.
func (h *history) recognise(info *jetstream.StreamInfo) {
	id := identityOf(info)
	switch {
	case h.place.stream == (identity{}):
		h.place = place{stream: id, scope: h.scope}
	case h.place.stream != id:
		h.beginAnew(id, "it is not the stream that was there before")
	case info.State.LastSeq < h.top:
		h.beginAnew(id, "it has lost its latest messages")
	}
}

// beginAnew drops what was known of a stream that is gone.
func (h *history) beginAnew(id identity, how string) {
	for key, word := range h.stored.words {
		for seq := key.at * 64; word != 0; seq, word = seq+1, word>>1 {
			if word&1 != 0 {
				h.unsure.add(protocol.ID{Epoch: key.epoch, Seq: seq})
			}
		}
	}
	h.stored.clear()
	h.place, h.seen, h.top = place{stream: id, scope: h.scope}, 0, 0
	h.unread, h.byTime, h.gap, h.lost = true, true, always, how
}

// readFrom begins the reading of a stream in this state.
func (h *history) readFrom(state *jetstream.StreamState) {
	h.unread = true
	if h.gap != 0 || h.byTime || state.FirstSeq <= h.seen+1 {
		return
	}
	h.gap, h.lost = always, "it was purged"
	if state.Msgs > 0 {
		h.gap, h.lost = protocol.At(state.FirstTime), "it has discarded its oldest messages"
	}
}

// found notes an id that the stream holds at seq. It reports false when there
// are too many.
func (h *history) found(id protocol.ID, seq uint64) bool {
	h.reach(seq)
	h.unsure.remove(id)
	h.quiet = 0
	return h.stored.add(id)
}

// reach notes that the stream was read up to seq.
func (h *history) reach(seq uint64) {
	if h.byTime {
		h.place.mark, h.byTime = max(seq, 1)-1, false
	}
	h.seen = max(h.seen, seq)
}

// readTo ends the reading at the sequence that was the last one. It returns how
// many readings may be stored twice when these are written next.
func (h *history) readTo(last uint64, readings []protocol.Reading) (suspects int) {
	if h.byTime {
		h.place.mark = last
	}
	h.seen, h.top = max(h.seen, last), max(h.top, last)
	switch {
	case h.gap == 0:
	case h.fresh:
		for i := range readings {
			r := &readings[i]
			if (r.ReceivedTime < h.gap || r.ClockUnset) && !h.stored.has(r.ID) {
				suspects++
			}
		}
	case protocol.At(h.since) < h.gap:
		suspects = h.unsure.n
	}
	h.unsure.clear()
	h.unread, h.byTime, h.fresh, h.gap = false, false, false, 0
	return suspects
}

// confirm notes that all readings are stored or rejected, the last message of
// this gateway at high.
func (h *history) confirm(readings []protocol.Reading, high uint64) {
	h.top = max(h.top, high)
	if h.stored.n > 0 || h.unsure.n > 0 {
		h.settle(readings)
	}
	if h.unsure.n > 0 {
		return
	}
	h.seen = max(h.seen, high)
	if h.stored.n == 0 || h.quiet >= heldFor {
		h.place.mark, h.place.scope = h.seen, h.scope
	}
}

// settle takes the readings out of the sets.
func (h *history) settle(readings []protocol.Reading) {
	h.quiet += len(readings)
	for i := range readings {
		h.unsure.remove(readings[i].ID)
		if h.stored.remove(readings[i].ID) {
			h.quiet = 0
		}
	}
	if h.quiet >= forgottenAfter {
		h.stored.clear()
	}
}

// fail notes what became of the readings of a Write that failed. It returns how
// many of them it had no room for.
func (h *history) fail(readings []protocol.Reading, w *window, began, ended time.Time) (suspects int) {
	h.top = max(h.top, w.high)
	for i := range readings {
		id := readings[i].ID
		switch w.states[i] {
		case isStored:
			h.unsure.remove(id)
			if h.quiet = 0; !h.stored.add(id) {
				suspects++
			}
		case isSent, isUnclear:
			if h.unsure.n == 0 {
				h.since = began
			}
			h.until = ended
			if !h.unsure.add(id) {
				suspects++
			}
		}
	}
	return suspects
}
