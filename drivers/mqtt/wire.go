package mqtt

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// readBuffer saves the library's three reads per packet from being system calls.
const readBuffer = 64 << 10

const (
	pingreq  = 0xC0
	pingresp = 0xD0
	publish  = 0x30
	qosBits  = 0x06
)

// wire is the network connection under the MQTT library: it buffers reads,
// limits how long a write may take, and carries the acknowledgements and pings
// of the acknowledger beside the library's packets. MQTT brokers take packets
// in order, so the answer to a ping confirms every acknowledgement before it.
type wire struct {
	net.Conn
	timeout time.Duration // of one write
	in      *bufio.Reader // read by the library's one reading goroutine, as is scan
	scan    scanner
	pong    chan struct{} // the reader tells the acknowledger; 1 is enough, it looks at the counters

	mu    sync.Mutex // guards pings, and keeps packets whole and in order
	pings uint64     // ping requests written, the library's own among them

	pongs     atomic.Uint64 // ping responses read
	published atomic.Uint64 // PUBLISH packets of QoS 1 and 2 read
	before    atomic.Uint64 // published at the latest ping response
}

func newWire(conn net.Conn, timeout time.Duration) *wire {
	return &wire{
		Conn:    conn,
		timeout: timeout,
		in:      bufio.NewReaderSize(conn, readBuffer),
		pong:    make(chan struct{}, 1),
	}
}

// Read reads for the library and follows the packets that pass.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	w.scan.feed(p[:n], w.passing)
	return n, err
}

// passing is called with the first byte of every packet read.
func (w *wire) passing(header byte) {
	switch {
	case header&0xF0 == publish && header&qosBits != 0:
		w.published.Add(1)
	case header == pingresp:
		w.before.Store(w.published.Load())
		w.pongs.Add(1)
		select {
		case w.pong <- struct{}{}:
		default:
		}
	}
}

// Write writes one whole packet of the library.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(p) > 0 && p[0] == pingreq {
		w.pings++
	}
	return w.send(p)
}

// acknowledge writes acknowledgement packets and, when confirm is true, a ping
// after them. It returns the number of that ping: the broker has handled the
// acknowledgements when pongs has reached it.
func (w *wire) acknowledge(packets []byte, confirm bool) (ping uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if confirm {
		packets = append(packets, pingreq, 0)
		w.pings++
	}
	_, err = w.send(packets)
	return w.pings, err
}

// send is called under mu. A broker that stopped reading costs the connection,
// not the gateway.
func (w *wire) send(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		return n, err
	}
	return n, w.SetWriteDeadline(time.Time{})
}

// scanner finds the packets in a stream of bytes.
type scanner struct {
	header byte // of the packet whose length is being read
	length bool // the next byte belongs to the length
	shift  uint // of that byte
	left   int  // bytes of the packet yet to come
}

// feed reads on through p and calls found with each packet's first byte, once
// its length is known.
func (s *scanner) feed(p []byte, found func(header byte)) {
	for len(p) > 0 {
		switch {
		case s.length:
			s.left |= int(p[0]&0x7F) << s.shift
			s.shift += 7
			s.length = p[0]&0x80 != 0 && s.shift < 28
			if !s.length {
				found(s.header)
			}
			p = p[1:]
		case s.left > 0:
			n := min(s.left, len(p))
			s.left -= n
			p = p[n:]
		default:
			s.header, s.length, s.shift = p[0], true, 0
			p = p[1:]
		}
	}
}
