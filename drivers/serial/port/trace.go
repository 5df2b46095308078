package port

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// mostTrace is how large a trace grows before it is moved aside.
	mostTrace = 8 << 20

	// mostBehind is how much of a trace waits for a slow disk. What is more
	// is left out and counted: a device loop does not wait for the disk.
	mostBehind = 256 << 10

	traceStamp = "2006-01-02T15:04:05.000000Z"
)

// Trace records the traffic of a port in a file, as lines of text that people
// read, with the time in UTC. It is safe for concurrent use. A nil Trace records
// nothing.
type Trace struct {
	path  string
	limit int64 // bytes; more are moved to path.1, in the place of what was there
	log   *slog.Logger
	wake  chan struct{} // sent to after each record, closed by Close; one is enough: the writer takes all there is
	done  chan struct{} // closed when the writer has ended

	mu     sync.Mutex // guards what follows
	behind []byte     // records that are not written yet
	lost   int        // records left out since the last one
	closed bool

	file *os.File // from here on: the writer's own
	size int64
	err  error // what ended the trace
}

// OpenTrace opens the trace at path, for this user alone, and goes on where it
// ends. At 8 MiB it is renamed to path.1 and begun anew. A write that fails ends
// the trace and is logged. Close has to be called.
func OpenTrace(path string, log *slog.Logger) (*Trace, error) { return openTrace(path, mostTrace, log) }

func openTrace(path string, limit int64, log *slog.Logger) (*Trace, error) {
	t := &Trace{path: path, limit: limit, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if err := t.begin(); err != nil {
		return nil, fmt.Errorf("open trace: %w", err)
	}
	go t.write()
	return t, nil
}

func (t *Trace) begin() (err error) {
	if t.file, err = os.OpenFile(t.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	info, err := t.file.Stat()
	if err != nil {
		return errors.Join(err, t.file.Close())
	}
	t.size = info.Size()
	return nil
}

// Wrap returns c with its traffic recorded. What it is stands at the beginning.
// Of a nil Trace it is c itself.
func (t *Trace) Wrap(c Conn, what string) Conn {
	if t == nil {
		return c
	}
	t.Note("open " + what)
	return &traced{c, t}
}

// Record adds bytes that went in a direction, Received or Sent.
func (t *Trace) Record(direction byte, b []byte) {
	t.add(func(to []byte, stamp string) []byte { return AppendDump(to, stamp, direction, b) })
}

// Note adds a line of text.
func (t *Trace) Note(text string) {
	t.add(func(to []byte, stamp string) []byte { return fmt.Appendf(to, "%s # %s\n", stamp, text) })
}

func (t *Trace) add(record func(to []byte, stamp string) []byte) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	if len(t.behind) > mostBehind {
		t.lost++
		return
	}
	stamp := time.Now().UTC().Format(traceStamp)
	if t.lost > 0 {
		t.behind = fmt.Appendf(t.behind, "%s # %d records are left out: the disk did not keep up\n", stamp, t.lost)
		t.lost = 0
	}
	t.behind = record(t.behind, stamp)
	select {
	case t.wake <- struct{}{}:
	default: // it is awake
	}
}

// write writes what was recorded until Close.
func (t *Trace) write() {
	defer close(t.done)
	var spare []byte
	for range t.wake {
		spare = t.flush(spare)
	}
	t.flush(spare)
}

// flush writes what there is and returns its memory for the next time.
func (t *Trace) flush(spare []byte) []byte {
	t.mu.Lock()
	text := t.behind
	t.behind = spare[:0]
	t.mu.Unlock()
	if t.err == nil && len(text) > 0 {
		if t.err = t.put(text); t.err != nil {
			t.log.Warn("trace has ended", "err", t.err)
		}
	}
	return text
}

func (t *Trace) put(text []byte) error {
	n, err := t.file.Write(text)
	t.size += int64(n)
	if err != nil || t.size < t.limit {
		return err
	}
	if err := errors.Join(t.file.Close(), os.Rename(t.path, t.path+".1")); err != nil {
		return err
	}
	return t.begin()
}

// Close writes what was recorded and closes the file. It returns what went
// wrong with the trace, at any time.
func (t *Trace) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	again := t.closed
	t.closed = true
	t.mu.Unlock()
	if again {
		return os.ErrClosed
	}
	close(t.wake)
	<-t.done
	if t.err != nil {
		_ = t.file.Close() // it may be closed, or be without its end, already
		return fmt.Errorf("write trace: %w", t.err)
	}
	return t.file.Close()
}

// traced is a port with a trace.
type traced struct {
	Conn
	trace *Trace
}

func (c *traced) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.trace.Record(Received, b[:n])
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.trace.Note("read: " + err.Error())
	}
	return n, err
}

func (c *traced) Write(b []byte) (int, error) {
	c.trace.Record(Sent, b) // before the answer can come
	n, err := c.Conn.Write(b)
	if err != nil {
		c.trace.Note(fmt.Sprintf("write: %d of %d bytes: %v", n, len(b), err))
	}
	return n, err
}
