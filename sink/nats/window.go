package nats

import "sluice/sink"

// publishState is what became of one reading of a Write.
type publishState uint8

const (
	isWaiting  publishState = iota // not published
	isSent                         // published, without an answer
	isUnclear                      // answered by something that does not tell
	isRefused                      // not in the stream, and may be later
	isRejected                     // will never be in the stream
	isStored                       // in the stream
)

// window keeps what became of the readings of one Write.
type window struct {
	first    uint64         // number of the first reading's publish
	states   []publishState // by index
	open     int            // in state isSent
	high     uint64         // of the stream sequences in the acknowledgements
	refusal  error          // the first answer that is no acknowledgement
	rejected []sink.Rejection
}

func (w *window) reset(first uint64, n int) {
	if cap(w.states) < n {
		w.states = make([]publishState, n)
	}
	*w = window{first: first, states: w.states[:n]}
	clear(w.states)
}

// send notes that reading i was published.
func (w *window) send(i int) {
	w.states[i] = isSent
	w.open++
}

// answered returns the index of the reading that the answer with this number is
// for, false when it is none of this Write or has had an answer.
func (w *window) answered(number uint64) (int, bool) {
	i := number - w.first
	if number < w.first || i >= uint64(len(w.states)) || w.states[i] != isSent {
		return 0, false
	}
	w.open--
	return int(i), true
}

// store notes that the stream holds reading i at seq.
func (w *window) store(i int, seq uint64) {
	w.states[i] = isStored
	w.high = max(w.high, seq)
}

// refuse notes that reading i got an answer that makes this Write fail.
func (w *window) refuse(i int, state publishState, err error) {
	w.states[i] = state
	if w.refusal == nil {
		w.refusal = err
	}
}

// reject notes that reading i will never be stored. Answers may come in any
// order; Rejected is ascending.
func (w *window) reject(i int, err error) {
	w.states[i] = isRejected
	at := len(w.rejected)
	for at > 0 && w.rejected[at-1].Index > i {
		at--
	}
	w.rejected = append(w.rejected, sink.Rejection{})
	copy(w.rejected[at+1:], w.rejected[at:])
	w.rejected[at] = sink.Rejection{Index: i, Err: sink.Permanent(err)}
}
