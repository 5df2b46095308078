package mqtt

import (
	"testing"

	"pgregory.net/rapid"
)

// The window against a plain model: acknowledgements in any order, of ids in use
// and of others, over many rounds of the packet ids.
func TestWindowKeepsToItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		w := newWindow(size)
		start := rapid.Uint64Range(0, 3*ids).Draw(t, "start")
		w.first, w.next = start, start
		const n = 60
		w.begin(n)
		unsettled := map[uint16]int{} // reading by id
		for reading := 0; reading < n; {
			if rapid.Bool().Draw(t, "add") {
				if id, ok := w.add(reading); ok {
					if _, used := unsettled[id]; used || id == 0 {
						t.Fatalf("id %d is given twice", id)
					}
					unsettled[id] = reading
					reading++
				}
			} else {
				id := uint16(rapid.Uint64Range(w.first%ids, w.first%ids+30).Draw(t, "id"))
				w.settle(id)
				if r, ok := unsettled[id]; ok && !w.isAcked(r) {
					t.Fatalf("reading %d is not acknowledged", r)
				}
				delete(unsettled, id)
			}
			open, oldest := w.open()
			if open > size || open < len(unsettled) || (open == 0) != (len(unsettled) == 0) {
				t.Fatalf("%d open of %d, the model has %d", open, size, len(unsettled))
			}
			for _, r := range unsettled {
				if w.isAcked(r) || r < oldest {
					t.Fatalf("reading %d is not settled, but acknowledged or older than the oldest, %d", r, oldest)
				}
			}
		}
	})
}

func TestStrayAcknowledgements(t *testing.T) {
	w := newWindow(3)
	w.begin(2)
	for _, id := range []uint16{0, 1, 65535} {
		w.settle(id)
	}
	id, _ := w.add(0)
	w.settle(id + 1)
	if n, _ := w.open(); n != 1 {
		t.Errorf("%d open, want 1", n)
	}
}
