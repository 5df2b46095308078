package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"

	"sluice/protocol"
	"sluice/sink"
)

var (
	errTooLong = errors.New("publish reading: it is longer than an MQTT message can be")
	errLost    = errors.New("the connection was lost before everything was acknowledged")
)

// write is one Write under way.
type write struct {
	*Sink
	ctx      context.Context
	conn     *connection
	readings []protocol.Reading
	rejected []sink.Rejection
	behind   []int // suspects that are sent behind all others
}

// run publishes with at most cfg.Window acknowledgements to come, and returns
// when all have come.
func (w *write) run() error {
	w.conn.window.begin(len(w.readings))
	w.out, w.lengths = w.out[:0], append(w.lengths[:0], make([]int, len(w.readings))...)
	for i := range w.readings {
		var err error
		switch f := w.memory.of(w.readings[i].ID); {
		case f == stored:
		case f == rejected:
			w.reject(i, w.verdict(i))
		case f >= lastly:
			w.behind = append(w.behind, i)
		case f > unblamed:
			err = w.alone(i)
		default:
			err = w.add(i)
		}
		if err != nil {
			return err
		}
	}
	for _, i := range w.behind {
		if err := w.alone(i); err != nil {
			return err
		}
	}
	return w.await(0)
}

// alone publishes a reading while nothing else is unacknowledged.
func (w *write) alone(i int) error {
	if err := w.await(0); err != nil {
		return err
	}
	if err := w.add(i); err != nil {
		return err
	}
	return w.await(0)
}

// add publishes a reading, or rejects it when no packet can hold it. It waits
// for half of the window when there is no room, so that packets go out together.
func (w *write) add(i int) error {
	r := &w.readings[i]
	topic := w.topics.Of(r.Device)
	w.body = protocol.AppendJSON(w.body[:0], r)
	if lengthOf(topic, w.body) > longestPacket {
		w.reject(i, errTooLong)
		return nil
	}
	id, ok := w.conn.window.add(i)
	if !ok {
		if err := w.await(w.cfg.Window / 2); err != nil {
			return err
		}
		id, _ = w.conn.window.add(i)
	}
	w.lengths[i] = len(w.body)
	w.out = appendPublish(w.out, topic, id, w.cfg.Retain, w.body)
	w.meter.messages.Add(1)
	if len(w.out) >= fullPacket {
		return w.flush()
	}
	return nil
}

// flush writes the packets that are ready. When that fails it returns when the
// acknowledgements that had come are noted.
func (w *write) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.conn.wire.Write(w.out)
	w.out = w.out[:0]
	if err == nil {
		return nil
	}
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		return fmt.Errorf("the broker has read nothing for %v", w.cfg.Timeout)
	}
	w.late.Reset(w.cfg.Timeout)
	defer w.late.Stop()
	select {
	case <-w.conn.wire.lost:
		return errLost
	case <-w.ctx.Done():
	case <-w.late.C:
	}
	return err
}

// await writes what is ready and waits until no more than most publishes are
// unacknowledged.
func (w *write) await(most int) error {
	if err := w.flush(); err != nil {
		return err
	}
	defer w.late.Stop()
	for {
		if n, _ := w.conn.window.open(); n <= most {
			return nil
		}
		w.late.Reset(w.cfg.Timeout)
		select {
		case <-w.conn.window.moved:
		case <-w.conn.wire.lost:
			if n, _ := w.conn.window.open(); n <= most {
				return nil
			}
			return errLost
		case <-w.late.C:
			return fmt.Errorf("no acknowledgement within %v", w.cfg.Timeout)
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	}
}

// finish learns from the outcome of run and returns that of Write. The
// connection has ended when err is not nil.
func (w *write) finish(err error) error {
	for i, length := range w.lengths {
		if w.conn.window.isAcked(i) {
			w.memory.acknowledged(length)
		}
	}
	if err != nil {
		w.memory.failed(w.readings, w.conn.window.isAcked)
		err = w.explain(err)
	}
	if err != nil {
		return err
	}
	w.memory.forget()
	if len(w.rejected) > 0 {
		return &sink.PartialError{Rejected: w.rejected}
	}
	return nil
}

// explain returns the error for a run that failed, or nil when it only lacks
// readings that are given up.
func (w *write) explain(err error) error {
	if w.ctx.Err() != nil {
		return fmt.Errorf("publish to %v: %w", w.broker, context.Cause(w.ctx))
	}
	if !errors.Is(err, errLost) {
		return fmt.Errorf("publish to %v: %w", w.broker, err)
	}
	cause := w.conn.wire.cause
	err = fmt.Errorf("publish to %v: %w: %w", w.broker, err, cause)
	n, oldest := w.conn.window.open()
	if n == 0 || !isRefusal(cause) {
		return err
	}
	if w.memory.blame(w.readings[oldest].ID, w.lengths[oldest]) {
		w.reject(oldest, w.verdict(oldest))
		if w.isSettled() {
			return nil
		}
	}
	if f := w.memory.of(w.readings[oldest].ID); f > unblamed+1 {
		return fmt.Errorf("%w, as it does whenever a message of %d bytes for topic %s is published: see whether it may be, and what the broker's limits are",
			err, w.lengths[oldest], w.topics.Of(w.readings[oldest].Device))
	}
	return err
}

// isRefusal reports whether a connection that ended so may have been closed by
// the broker on purpose.
func isRefusal(cause error) bool {
	late, ok := errors.AsType[net.Error](cause)
	return !errors.Is(cause, errGivenUp) && (!ok || !late.Timeout())
}

// isSettled reports whether every reading is either stored or rejected.
func (w *write) isSettled() bool {
	for i := range w.readings {
		f := w.memory.of(w.readings[i].ID)
		if f != stored && f != rejected && !w.isRejected(i) {
			return false
		}
	}
	return true
}

func (w *write) isRejected(i int) bool {
	for _, r := range w.rejected {
		if r.Index == i {
			return true
		}
	}
	return false
}

// verdict says why a reading is given up.
func (w *write) verdict(i int) error {
	r := &w.readings[i]
	w.body = protocol.AppendJSON(w.body[:0], r)
	return fmt.Errorf("publish to %v: the broker closes the connection whenever this message of %d bytes for topic %s is published: it may be longer than the broker takes",
		w.broker, len(w.body), w.topics.Of(r.Device))
}

// reject notes that a reading will never be stored. Rejected is ascending.
func (w *write) reject(i int, err error) {
	at := len(w.rejected)
	for at > 0 && w.rejected[at-1].Index > i {
		at--
	}
	w.rejected = append(w.rejected, sink.Rejection{})
	copy(w.rejected[at+1:], w.rejected[at:])
	w.rejected[at] = sink.Rejection{Index: i, Err: sink.Permanent(err)}
}
