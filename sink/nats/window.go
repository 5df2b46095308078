package nats

import "sluice/sink"

// window keeps what became of the readings of one Write.
type window struct {
	first    uint64 // number of the first reading's publish
	settled  []bool // by index
	open     int    // published and not settled
	rejected []sink.Rejection
}

func (w *window) reset(first uint64, n int) {
	w.first, w.open, w.rejected = first, 0, nil
	if cap(w.settled) < n {
		w.settled = make([]bool, n)
	}
	w.settled = w.settled[:n]
	clear(w.settled)
}

// settle notes the answer for a publish and returns the reading's index, false
// when it is none of this Write or was settled before.
func (w *window) settle(number uint64) (int, bool) {
	i := number - w.first
	if number < w.first || i >= uint64(len(w.settled)) || w.settled[i] {
		return 0, false
	}
	w.settled[i] = true
	w.open--
	return int(i), true
}

// reject notes that reading i will never be stored. Answers may come in any
// order; Rejected is ascending.
func (w *window) reject(i int, err error) {
	at := len(w.rejected)
	for at > 0 && w.rejected[at-1].Index > i {
		at--
	}
	w.rejected = append(w.rejected, sink.Rejection{})
	copy(w.rejected[at+1:], w.rejected[at:])
	w.rejected[at] = sink.Rejection{Index: i, Err: sink.Permanent(err)}
}
