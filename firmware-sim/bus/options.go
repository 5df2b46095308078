package bus

import (
	"errors"
	"fmt"
	"time"
)

// Mode is what is spoken on a bus.
type Mode uint8

// The modes. RTU behind Listen is RTU over TCP.
const (
	RTU Mode = iota
	ASCII
	TCP  // Modbus TCP: every connection by itself, no line behind it
	Text // what the Devices say
)

var modes = [...]string{RTU: "rtu", ASCII: "ascii", TCP: "tcp", Text: "text"}

// String returns the mode's name.
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// Options say what a bus is like.
type Options struct {
	Mode   Mode
	Line   string // baud rate and format, such as "9600 8E1"; "" for TCP alone
	Link   string // path of the link that leads to the pseudo terminal; its folder exists
	Listen string // instead of Link: the TCP address to listen at, such as 127.0.0.1:0

	// Turnaround is how long after the last bit of a request a device begins
	// its answer, and Jitter what is added to it at random at most. RTU devices
	// take at least the silence that ends a frame.
	Turnaround, Jitter time.Duration

	// Lump is how long the adapter collects bytes before it hands them over,
	// as the latency timer of USB adapters does; default 2 ms. The last byte of
	// a frame does not wait.
	Lump time.Duration

	Seed   uint64       // of everything that happens at random
	Ledger func(Answer) // told of every answer just before its last byte is handed over; nil for none. One call at a time per connection
}

const defaultLump = 2 * time.Millisecond

// timing returns the timing of the line, or what is wrong with o.
func (o *Options) timing() (timing, error) {
	switch {
	case int(o.Mode) >= len(modes):
		return timing{}, fmt.Errorf("%v is not known", o.Mode)
	case o.Link != "" && o.Listen != "":
		return timing{}, errors.New("a bus has a link or listens, not both")
	case o.Link != "" && o.Mode == TCP:
		return timing{}, errors.New("modbus tcp needs listen, not a link")
	case o.Turnaround < 0 || o.Jitter < 0 || o.Lump < 0:
		return timing{}, errors.New("a negative time")
	case o.Mode == TCP:
		return timing{}, nil
	}
	t, err := parseLine(o.Line)
	if o.Mode != RTU {
		t.gap = 0
	}
	return t, err
}
