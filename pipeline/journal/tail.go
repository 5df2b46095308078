package journal

import "sync"

// tail is the end of the segment being written, kept in memory, so that a sink
// that keeps up reads nothing back from the disk. The appender writes it, cursors
// read it. It is used anew for a later segment.
type tail struct {
	mu     sync.RWMutex // guards what follows
	number uint64       // of the segment
	start  int64        // offset of data in it
	data   []byte
}

// tailSize is how much of the end is there at least.
const tailSize = 1 << 20

// reset makes the tail that of another segment.
func (t *tail) reset(number uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number, t.start, t.data = number, 0, t.data[:0]
}

// append adds what was written at off.
func (t *tail) append(off int64, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(b) > tailSize || off != t.start+int64(len(t.data)) {
		t.start, t.data = off, t.data[:0]
	}
	if len(b) > tailSize {
		t.start += int64(len(b))
		return
	}
	if len(t.data)+len(b) > 2*tailSize {
		over := len(t.data) - (tailSize - len(b))
		t.data = t.data[:copy(t.data, t.data[over:])]
		t.start += int64(over)
	}
	t.data = append(t.data, b...)
}

// read fills b from the segment's offset off, and reports whether all of that is
// still here.
func (t *tail) read(number uint64, b []byte, off int64) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	i := off - t.start
	if t.number != number || i < 0 || i+int64(len(b)) > int64(len(t.data)) {
		return false
	}
	copy(b, t.data[i:])
	return true
}

// tailed is a segment's file whose end may be in memory.
type tailed struct {
	File
	tail   *tail
	number uint64
}

func (f tailed) ReadAt(b []byte, off int64) (int, error) {
	if f.tail.read(f.number, b, off) {
		return len(b), nil
	}
	return f.File.ReadAt(b, off)
}
