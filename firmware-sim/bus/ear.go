package bus

import (
	"bytes"

	"sluice/protocol/modbus"
)

// ear finds requests in what a master sends. Bytes that are fed stay as they are
// until next has returned false.
type ear interface {
	feed(p []byte)
	next() (request, bool)
	idle()     // the line was quiet for longer than within a request
	held() int // bytes of which no request was made yet
	bad() int64
	skipped() int64
}

// request is what an ear has heard.
type request struct {
	frame  modbus.Frame
	phrase *phrase // of Text
}

// modbusEar hears Modbus requests.
type modbusEar struct{ *modbus.Stream }

func newEar(m Mode, b *book) ear {
	switch m {
	case ASCII:
		return modbusEar{modbus.NewASCII()}
	case TCP:
		return modbusEar{modbus.NewTCP(modbus.Requests)}
	case Text:
		return &textEar{book: b}
	}
	return modbusEar{modbus.NewRTU(modbus.Requests)}
}

func (e modbusEar) feed(p []byte)  { e.Feed(p) }
func (e modbusEar) idle()          { e.Idle() }
func (e modbusEar) held() int      { return e.Held() }
func (e modbusEar) bad() int64     { return e.Stats().Bad }
func (e modbusEar) skipped() int64 { return e.Stats().Skipped }

func (e modbusEar) next() (request, bool) {
	f, ok := e.Next()
	return request{frame: f}, ok
}

// textEar hears what the devices of a book listen to.
type textEar struct {
	book *book
	rest []byte // fed and not looked at yet
	tail []byte // looked at, and no request yet
	lost int64
}

const maxTail = 1024

func (e *textEar) feed(p []byte) { e.rest = append(e.rest, p...) }

func (e *textEar) next() (request, bool) {
	for len(e.rest) > 0 {
		if len(e.tail) == maxTail {
			e.lost += maxTail / 2
			e.tail = e.tail[:copy(e.tail, e.tail[maxTail/2:])]
		}
		e.tail, e.rest = append(e.tail, e.rest[0]), e.rest[1:]
		for i := range e.book.phrases {
			if p := &e.book.phrases[i]; p.text != "" && bytes.HasSuffix(e.tail, []byte(p.text)) {
				e.lost += int64(len(e.tail) - len(p.text))
				e.tail = e.tail[:0]
				return request{phrase: p}, true
			}
		}
	}
	return request{}, false
}

func (e *textEar) idle() {
	e.lost += int64(len(e.tail))
	e.tail = e.tail[:0]
}

func (e *textEar) held() int      { return len(e.tail) + len(e.rest) }
func (e *textEar) bad() int64     { return 0 }
func (e *textEar) skipped() int64 { return e.lost }

// unit returns who is asked.
func (q *request) unit() uint8 {
	if q.phrase != nil {
		return q.phrase.device.Unit
	}
	return q.frame.Unit
}
