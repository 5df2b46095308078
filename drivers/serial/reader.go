package serial

import (
	"errors"
	"io"
	"log/slog"
	"slices"
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
	frames  frame.Reader
	gap     time.Duration // a line that is quiet for so long has ended a frame; 0: never
	decoder payload.Decoder
	batches *sync.Pool // of *protocol.Batch; Done puts them back
	status  *drivers.Status
	log     *slog.Logger
	counted frame.Stats // what the emitter knows of
	told    []string    // reasons of the rejections that were logged, a few words
	buf     [4096]byte  // as much as the kernel gives in one read
}

// source is where bytes come from: a port.
type source interface {
	io.Reader
	// SetReadDeadline sets the time at which Read gives up with
	// os.ErrDeadlineExceeded; the zero time means never.
	SetReadDeadline(t time.Time) error
}

// read emits what arrives until from fails, and reports whether anything did.
func (r *reader) read(from source, e drivers.Emitter) (heard bool, err error) {
	r.frames.Reset() // a frame cut by the last failure has no end
	q := quiet{gap: r.gap}
	defer r.status.Rest()
	for {
		r.status.Rest()
		n, err := from.Read(r.buf[:])
		r.status.Within(0)
		now := time.Now()
		if n > 0 {
			heard = true
			r.take(r.buf[:n], protocol.At(now), e)
			q.heard(now)
		}
		switch {
		case err == nil:
		case !q.passed(err):
			return heard, err
		case q.sure(now):
			r.frames.Idle()
			r.take(nil, protocol.At(q.last), e)
		}
		if err := q.arm(from); err != nil {
			return heard, err
		}
	}
}

// take emits the frames that received completes as one batch. A batch that is
// not accepted is lost: the device cannot send it again.
func (r *reader) take(received []byte, at protocol.Timestamp, e drivers.Emitter) {
	b := r.batches.Get().(*protocol.Batch)
	r.frames.Feed(received)
	for f, ok := r.frames.Next(); ok; f, ok = r.frames.Next() {
		flaws := len(b.Flaws)
		err := r.decoder.Decode(b, payload.Message{Payload: f, Device: r.device, Received: at})
		switch {
		case err != nil:
			r.reject(e, reason(err), err)
		case len(b.Flaws) > flaws:
			flaw := b.Flaws[flaws].Refusal
			r.tell("metrics are rejected", flaw.Reason, flaw)
		}
	}
	r.count(e)
	if len(b.Readings) == 0 || !e.Emit(b) {
		b.Done(nil) // it was never handed over: only reuse it
	}
}

var (
	errTooLong = errors.New("frame is longer than max")
	errBad     = errors.New("frame has a wrong checksum or structure")
)

// count counts the frames that were rejected since the last time.
func (r *reader) count(e drivers.Emitter) {
	now := r.frames.Stats()
	for ; r.counted.TooLong < now.TooLong; r.counted.TooLong++ {
		r.reject(e, "too_long", errTooLong)
	}
	for ; r.counted.Bad < now.Bad; r.counted.Bad++ {
		r.reject(e, "checksum", errBad)
	}
	if s, ok := e.(drivers.Skipper); ok && now.Skipped > r.counted.Skipped {
		s.Skip(now.Skipped - r.counted.Skipped)
	}
	r.counted = now
}

func (r *reader) reject(e drivers.Emitter, reason string, err error) {
	if a, ok := e.(drivers.Accountant); ok {
		a.Reject(r.device.Name, reason)
	}
	r.tell("frames are rejected", reason, err)
}

// tell logs the first frame that is rejected for a reason, as a whole or in part.
func (r *reader) tell(what, reason string, err error) {
	if !slices.Contains(r.told, reason) {
		r.told = append(r.told, reason)
		r.log.Warn(what, "device", r.device.Name, "reason", reason, "err", err)
	}
}

func reason(err error) string {
	var undecodable *protocol.Refusal
	if errors.As(err, &undecodable) {
		return undecodable.Reason
	}
	return "decode"
}
