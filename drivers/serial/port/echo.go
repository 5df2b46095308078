package port

import (
	"bytes"
	"fmt"
	"sync"
)

// echo is what was sent and has not come back yet, on a line where the sender
// hears itself. Its methods are safe for concurrent use.
type echo struct {
	mu   sync.Mutex // guards owed
	owed []byte
}

// mostEcho is how much may be owed: more than the kernel keeps of it.
const mostEcho = 64 << 10

// expect notes b before it is sent.
func (e *echo) expect(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.owed)+len(b) > mostEcho {
		return fmt.Errorf("%w: nothing of the last %d bytes has come back", ErrEcho, len(e.owed))
	}
	e.owed = append(e.owed, b...)
	return nil
}

// cancel takes back the last n bytes, which were not sent.
func (e *echo) cancel(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owed = e.owed[:max(0, len(e.owed)-n)]
}

// forget takes back everything.
func (e *echo) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owed = e.owed[:0]
}

// strip removes from b, which was received, what is owed, and returns the
// length of the rest, which it moves to the beginning of b. After a difference
// nothing is owed any more, and what was received is lost.
func (e *echo) strip(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := min(len(b), len(e.owed))
	if !bytes.Equal(b[:n], e.owed[:n]) {
		err := fmt.Errorf("%w: got % x, want % x", ErrEcho, shown(b[:n]), shown(e.owed[:n]))
		e.owed = e.owed[:0]
		return 0, err
	}
	e.owed = append(e.owed[:0], e.owed[n:]...)
	return copy(b, b[n:]), nil
}

// shown cuts b to what an error can hold.
func shown(b []byte) []byte { return b[:min(len(b), 32)] }
