package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// readBuffer saves the library's three reads per packet from being system
	// calls.
	readBuffer = 16 << 10

	// longestAnswer bounds a packet from the broker, which has little to say to
	// a client that subscribes to nothing.
	longestAnswer = 1 << 20
)

var (
	errClosed  = errors.New("the broker has closed it")
	errNoMQTT  = errors.New("the answer is no MQTT")
	errGivenUp = errors.New("it was given up: the broker answers no ping or breaks the protocol")
)

// wire is the network connection under the MQTT library. It takes the
// acknowledgements out of what the broker says and carries the messages of Write
// beside the library's own packets.
type wire struct {
	net.Conn
	timeout time.Duration // of one write
	window  *window

	in   *bufio.Reader // read by the library's one reading goroutine, as is left
	left int           // bytes of the packet that the library is reading

	mu sync.Mutex // keeps written packets whole

	end   sync.Once
	lost  chan struct{} // closed when the connection has ended
	cause error         // why, valid once lost is closed
}

func newWire(conn net.Conn, timeout time.Duration, w *window) *wire {
	return &wire{Conn: conn, timeout: timeout, window: w, in: bufio.NewReaderSize(conn, readBuffer), lost: make(chan struct{})}
}

// Read reads for the library.
func (w *wire) Read(p []byte) (n int, err error) {
	for w.left == 0 && err == nil {
		err = w.begin()
	}
	if err == nil {
		n, err = w.in.Read(p[:min(len(p), w.left)])
		w.left -= n
	}
	if err != nil {
		w.lose(err)
	}
	return n, err
}

// begin looks at the next packet: it settles an acknowledgement, and leaves
// everything else to the library.
func (w *wire) begin() error {
	head, err := w.in.Peek(2)
	if err != nil {
		return err
	}
	if head[0] == puback && head[1] == 2 {
		if head, err = w.in.Peek(4); err != nil {
			return err
		}
		w.window.settle(binary.BigEndian.Uint16(head[2:]))
		_, err = w.in.Discard(4)
		return err
	}
	for n := 2; n <= 5; n++ {
		if head, err = w.in.Peek(n); err != nil {
			return err
		}
		if length, size := binary.Uvarint(head[1:]); size > 0 {
			if length > longestAnswer {
				return errNoMQTT
			}
			w.left = 1 + size + int(length)
			return nil
		}
	}
	return errNoMQTT
}

// Write writes whole packets, the library's or ours. A broker that stopped
// reading costs the connection.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		return n, err
	}
	return n, w.SetWriteDeadline(time.Time{})
}

// Close closes the connection. The library does so when it gives up; a reason
// that is known already stands.
func (w *wire) Close() error {
	w.lose(errGivenUp)
	return w.Conn.Close()
}

func (w *wire) lose(cause error) {
	w.end.Do(func() {
		if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
			cause = errClosed
		}
		w.cause = cause
		close(w.lost)
	})
}

// isLost reports whether the connection has ended.
func (w *wire) isLost() bool {
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
}
