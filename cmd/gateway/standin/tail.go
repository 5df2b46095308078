package standin

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// Tail reads the lines of a file that another appends to.
type Tail struct {
	file    *os.File
	line    func(text []byte)
	part    []byte // of a line that is not whole yet
	end     chan struct{}
	reading sync.WaitGroup
}

// NewTail creates the file and calls line, one at a time, for every line that is
// appended to it, without the line's end.
func NewTail(path string, line func(text []byte)) (*Tail, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start tail: %w", err)
	}
	t := &Tail{file: f, line: line, end: make(chan struct{})} // closed by Close, nothing is sent
	t.reading.Go(t.follow)
	return t, nil
}

// Close reads what is there and ends.
func (t *Tail) Close() error {
	close(t.end)
	t.reading.Wait()
	return t.file.Close()
}

func (t *Tail) follow() {
	const often = 10 * time.Millisecond
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		select {
		case <-t.end:
			t.read()
			return
		case <-tick.C:
			t.read()
		}
	}
}

// read hands on the whole lines that are there.
func (t *Tail) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.file.Read(buf)
		t.part = append(t.part, buf[:n]...)
		for {
			line, rest, whole := bytes.Cut(t.part, []byte{'\n'})
			if !whole {
				break
			}
			t.line(line)
			t.part = rest
		}
		if n == 0 || err != nil {
			return
		}
	}
}

// ParsePoint reads one line of line protocol with a time in nanoseconds.
func ParsePoint(line []byte) (Point, error) {
	d := lineprotocol.NewDecoderWithBytes(line)
	if !d.Next() {
		return Point{}, fmt.Errorf("read point: %q is no line", line)
	}
	return parseLine(d)
}
