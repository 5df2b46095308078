package serial

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// reader turns the bytes of a line into batches, and finds among its frames the
// one that is waited for. It is owned by one goroutine.
type reader struct {
	frames  frame.Reader
	gap     time.Duration // a line that is quiet for so long has ended a frame; 0: never
	teller  *teller       // nil: frames have no unit
	units   map[string]*station
	talker  *station // of whom a frame without a unit is that nobody waits for; nil: of nobody
	name    string   // of the only device; "": there are several
	wanted  wanted
	batches *sync.Pool // of *protocol.Batch; Done puts them back
	status  *drivers.Status
	log     *slog.Logger
	counted frame.Stats // what the emitter knows of
	told    []rejection // what was logged, a few for each device
	buf     [4096]byte  // as much as the kernel gives in one read

	quiet quiet
	heard bool      // anything came since begin
	last  time.Time // when something came last
	armed time.Time // the deadline of the source; meaningless when it is unset
	unset bool      // a deadline has passed, or somebody else has set one
}

// wanted is the frame that is waited for, and what became of it.
type wanted struct {
	station *station // whose; nil: none is waited for
	begins  []byte   // how it begins
	use     purpose  // what it is waited for

	came    bool
	text    []byte // a reply
	refused error  // why an answer gave no reading
	damaged bool   // a frame came that may have been it
}

// purpose is what a frame is waited for.
type purpose uint8

const (
	reads   purpose = iota // it holds a reading
	passes                 // that it comes is enough
	replies                // it is the reply to a command
)

// rejection is why frames of a device are rejected.
type rejection struct{ device, reason string }

// source is where bytes come from: a port.
type source interface {
	io.Reader
	// SetReadDeadline sets the time at which Read gives up with
	// os.ErrDeadlineExceeded; the zero time means never.
	SetReadDeadline(t time.Time) error
}

// begin starts on a line that was just opened.
func (r *reader) begin() {
	r.frames.Reset() // a frame cut by the last failure has no end
	r.quiet = quiet{gap: r.gap}
	r.wanted = wanted{}
	r.heard, r.last = false, time.Time{}
	r.armed, r.unset = time.Time{}, false
}

// read takes what from gives until its deadline, see arm, and emits the frames
// that it completes. It may return early without anything.
func (r *reader) read(from source, e drivers.Emitter) error {
	r.status.Rest()
	n, err := from.Read(r.buf[:])
	r.status.Within(0)
	now := time.Now()
	if n > 0 {
		r.heard, r.last = true, now
		r.take(r.buf[:n], protocol.At(now), e)
		r.quiet.heard(now)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, port.ErrEcho):
		r.damage(e, "echo", err)
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return err
	}
	r.unset = true
	if r.quiet.passed(now) && r.quiet.sure(now) {
		r.end(e)
	}
	return nil
}

// arm makes the next read of from give up at a time, the zero time for never, or
// when the gap is over.
func (r *reader) arm(from source, until time.Time) error {
	if gap := r.quiet.until(); !gap.IsZero() && (until.IsZero() || gap.Before(until)) {
		until = gap
	}
	if !r.unset && until.Equal(r.armed) {
		return nil
	}
	r.armed, r.unset = until, false
	return from.SetReadDeadline(until)
}

// end says that the line is quiet: a frame that has begun is over.
func (r *reader) end(e drivers.Emitter) {
	r.frames.Idle()
	r.take(nil, protocol.At(r.last), e)
}

// take emits the frames that received completes as one batch. A batch that is
// not accepted is lost: the device cannot send it again.
func (r *reader) take(received []byte, at protocol.Timestamp, e drivers.Emitter) {
	b := r.batches.Get().(*protocol.Batch)
	r.frames.Feed(received)
	for f, ok := r.frames.Next(); ok; f, ok = r.frames.Next() {
		if s := r.sort(f, e); s != nil {
			r.decode(b, s, payload.Message{Payload: f, Device: s.device, Received: at}, e)
		}
	}
	r.count(e)
	if len(b.Readings) == 0 || !e.Emit(b) {
		b.Done(nil) // it was never handed over: only reuse it
	}
}

// sort returns the device whose reading a frame holds, nil when it holds none.
func (r *reader) sort(f []byte, e drivers.Emitter) *station {
	s, known := r.talker, true
	if r.teller != nil {
		unit, has := r.teller.unit(f)
		s, known = r.units[string(unit)], has
	}
	switch {
	case r.wanted.is(f, s, r.teller != nil):
		return r.wanted.take(f)
	case s == nil && r.teller != nil:
		r.unknown(f, known, e)
	case s == nil || s.asks():
		r.skip(e, int64(len(f))) // an answer that nobody waits for, or any more
	default:
		return s
	}
	return nil
}

// is reports whether f, a frame of s as far as frames tell, is waited for. A
// reply may lack the unit that readings have.
func (w *wanted) is(f []byte, s *station, tells bool) bool {
	switch {
	case w.station == nil || w.came || !begins(f, w.begins):
		return false
	case tells && s != w.station:
		return w.use == replies && len(w.begins) > 0 && s == nil
	}
	return true
}

// take notes that f has come, and returns whose reading it holds.
func (w *wanted) take(f []byte) *station {
	w.came = true
	switch w.use {
	case reads:
		return w.station
	case replies:
		w.text = slices.Clone(f)
	}
	return nil
}

// decode adds the reading that a frame of s holds to b.
func (r *reader) decode(b *protocol.Batch, s *station, m payload.Message, e drivers.Emitter) {
	flaws := len(b.Flaws)
	err := s.decoder.Decode(b, m)
	switch {
	case err != nil:
		if s == r.wanted.station {
			r.wanted.refused = err
		}
		r.reject(e, s.device.Name, reason(err), err)
	case len(b.Flaws) > flaws:
		flaw := b.Flaws[flaws].Refusal
		r.tell("metrics are rejected", s.device.Name, flaw.Reason, flaw)
	}
}

var (
	errNoUnit  = errors.New("frame has no unit")
	errTooLong = errors.New("frame is longer than max")
	errBad     = errors.New("frame has a wrong checksum or structure")
)

// count counts the frames that were rejected since the last time.
func (r *reader) count(e drivers.Emitter) {
	now := r.frames.Stats()
	for ; r.counted.TooLong < now.TooLong; r.counted.TooLong++ {
		r.damage(e, "too_long", errTooLong)
	}
	for ; r.counted.Bad < now.Bad; r.counted.Bad++ {
		r.damage(e, "checksum", errBad)
	}
	if now.Skipped > r.counted.Skipped {
		r.skip(e, now.Skipped-r.counted.Skipped)
	}
	r.counted = now
}

// unknown rejects a frame of which no device is known.
func (r *reader) unknown(f []byte, has bool, e drivers.Emitter) {
	if !has {
		r.reject(e, "", "unknown_unit", errNoUnit)
		return
	}
	unit, _ := r.teller.unit(f)
	r.reject(e, "", "unknown_unit", fmt.Errorf("no device has unit %q", unit))
}

// skip counts bytes that belong to no frame, or to one of no interest.
func (r *reader) skip(e drivers.Emitter, n int64) {
	if s, ok := e.(drivers.Skipper); ok {
		s.Skip(n)
	}
}

// damage rejects a frame that cannot be read: that of the device that is waited
// for, as far as anybody can tell.
func (r *reader) damage(e drivers.Emitter, reason string, err error) {
	name := r.name
	if s := r.wanted.station; s != nil && !r.wanted.came {
		name, r.wanted.damaged = s.device.Name, true
	}
	r.reject(e, name, reason, err)
}

func (r *reader) reject(e drivers.Emitter, device, reason string, err error) {
	if a, ok := e.(drivers.Accountant); ok {
		a.Reject(device, reason)
	}
	r.tell("frames are rejected", device, reason, err)
}

// tell logs the first frame of a device that is rejected for a reason, as a whole
// or in part.
func (r *reader) tell(what, device, reason string, err error) {
	if of := (rejection{device, reason}); !slices.Contains(r.told, of) {
		r.told = append(r.told, of)
		r.log.Warn(what, "device", device, "reason", reason, "err", err)
	}
}

func reason(err error) string {
	var undecodable *protocol.Refusal
	if errors.As(err, &undecodable) {
		return undecodable.Reason
	}
	return "decode"
}
