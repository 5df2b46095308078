package serial

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// reader turns the bytes of one device into batches. It is owned by one
// goroutine.
type reader struct {
	device  *protocol.Device
	lines   *frame.Lines
	decoder payload.Decoder
	batches *sync.Pool // of *protocol.Batch; Done puts them back
	log     *slog.Logger
	tooLong int64      // lines counted so far
	told    string     // reason of the latest rejection that was logged
	buf     [4096]byte // as much as the kernel gives in one read
}

// read emits what arrives until from fails, and reports whether anything did.
func (r *reader) read(from io.Reader, e drivers.Emitter) (heard bool, err error) {
	r.lines.Reset() // a line cut by the last failure has no end
	for {
		n, err := from.Read(r.buf[:])
		if n > 0 {
			heard = true
			r.take(r.buf[:n], protocol.At(time.Now()), e)
		}
		if err != nil {
			return heard, err
		}
	}
}

// take emits the lines that received completes as one batch. A batch that is
// not accepted is lost: the device cannot send it again.
func (r *reader) take(received []byte, at protocol.Timestamp, e drivers.Emitter) {
	b := r.batches.Get().(*protocol.Batch)
	r.lines.Feed(received)
	for line, ok := r.lines.Next(); ok; line, ok = r.lines.Next() {
		m := payload.Message{Payload: line, Device: r.device, Received: at}
		if err := r.decoder.Decode(b, m); err != nil {
			r.reject(e, reason(err), err)
		}
	}
	for ; r.tooLong < r.lines.TooLong(); r.tooLong++ {
		r.reject(e, "too_long", errTooLong)
	}
	if len(b.Readings) == 0 || !e.Emit(b) {
		b.Done(nil) // it was never handed over: only reuse it
	}
}

var errTooLong = errors.New("line is longer than max_line")

func (r *reader) reject(e drivers.Emitter, reason string, err error) {
	if a, ok := e.(drivers.Accountant); ok {
		a.Reject(r.device.Name, reason)
	}
	if r.told != reason {
		r.told = reason
		r.log.Warn("lines are rejected", "device", r.device.Name, "reason", reason, "err", err)
	}
}

func reason(err error) string {
	var undecodable *protocol.Refusal
	if errors.As(err, &undecodable) {
		return undecodable.Reason
	}
	return "decode"
}
