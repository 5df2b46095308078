package journal

import (
	"io"
	"slices"
	"sync"
)

// memory is the file of a volatile segment: it ends with the process. The
// appender writes it, cursors read it.
type memory struct {
	mu sync.RWMutex // guards b
	b  []byte
}

var _ File = (*memory)(nil)

// memoryStep is how much the file grows at a time.
const memoryStep = 256 << 10

func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := copy(b, m.b[min(off, int64(len(m.b))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if end := int(off) + len(b); end > len(m.b) {
		if end > cap(m.b) {
			m.b = slices.Grow(m.b, max(end-len(m.b), memoryStep))
		}
		m.b = m.b[:end]
	}
	return copy(m.b[off:], b), nil
}

func (m *memory) Size() (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return int64(len(m.b)), nil
}

func (m *memory) Truncate(size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.b = m.b[:min(size, int64(len(m.b)))]
	return nil
}

func (m *memory) Sync() error  { return nil }
func (m *memory) Close() error { return nil }
