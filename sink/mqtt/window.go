package mqtt

import "sync"

// ids is how many packet ids there are: 1 to 65535.
const ids = 1<<16 - 1

// window keeps which readings of one Write the broker has acknowledged. Publishes
// are numbered for as long as the connection lasts, and a packet id follows its
// number. Write adds, the connection's reader settles.
type window struct {
	moved chan struct{} // sent by settle when something was acknowledged; 1 is enough, Write looks at the state

	mu    sync.Mutex // guards what follows
	first uint64     // the oldest publish without an acknowledgement
	next  uint64     // the next publish; less than len(ring) after first
	ring  []entry    // by number modulo its length
	acked []bool     // by index of the reading in this Write
}

type entry struct {
	reading int
	settled bool
}

// newWindow returns a window of size publishes, fewer than there are ids.
func newWindow(size int) *window {
	return &window{moved: make(chan struct{}, 1), ring: make([]entry, size)}
}

// begin makes ready for a Write of n readings. Nothing is unsettled.
func (w *window) begin(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cap(w.acked) < n {
		w.acked = make([]bool, n)
	}
	w.acked = w.acked[:n]
	clear(w.acked)
}

// add returns the packet id for a reading, false when the window is full.
func (w *window) add(reading int) (id uint16, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next-w.first >= uint64(len(w.ring)) {
		return 0, false
	}
	w.ring[w.next%uint64(len(w.ring))] = entry{reading: reading}
	w.next++
	return idOf(w.next - 1), true
}

func idOf(number uint64) uint16 { return uint16(number%ids) + 1 }

// settle notes an acknowledgement. One that nobody waits for has no effect.
func (w *window) settle(id uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	after := (uint64(id) + ids - uint64(idOf(w.first))) % ids
	if id == 0 || after >= w.next-w.first {
		return
	}
	e := &w.ring[(w.first+after)%uint64(len(w.ring))]
	e.settled = true
	w.acked[e.reading] = true
	for w.first < w.next && w.ring[w.first%uint64(len(w.ring))].settled {
		w.first++
	}
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// open returns how many publishes are not settled, or follow one that is not,
// and the reading of the oldest.
func (w *window) open() (n, oldest int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int(w.next - w.first), w.ring[w.first%uint64(len(w.ring))].reading
}

// isAcked reports whether the broker has acknowledged a reading.
func (w *window) isAcked(reading int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked[reading]
}
