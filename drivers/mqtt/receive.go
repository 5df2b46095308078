package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// maxPayload is the size in bytes of the largest message that is decoded.
const maxPayload = 1 << 20

// receive takes every message of the connection, on the library's one
// goroutine, in order. It never blocks: the library answers no ping meanwhile.
func (c *connection) receive(_ paho.Client, m paho.Message) {
	defer c.catch()
	c.status.Within(0)
	defer c.status.Rest()
	at := protocol.At(time.Now())
	var origin protocol.Origin
	hash := hashOf(m.Topic(), m.Payload())
	if m.Qos() > 0 {
		if c.cfg.Session == "persistent" {
			origin = protocol.Origin{Driver: c.name, PacketID: m.MessageID(), Hash: hash, Redelivered: m.Duplicate()}
			if origin.Redelivered {
				c.unsure.drop(origin)
			}
		}
		if !m.Duplicate() {
			c.fresh.Store(true)
		}
	}
	d := c.deliver(m, origin)
	if m.Qos() > 0 {
		c.handled.Add(1)
	}
	if d == nil {
		c.out.Refuse()
		return
	}
	r := c.routes.find(m.Topic())
	reason, err := c.decode(d, r, m, hash, at)
	c.replies.take(r.replier)
	if reason != "" {
		c.out.Reject(r.name(), reason)
		c.tell("messages are rejected", r, m, reason, err)
		c.turnAway(r, m)
		d.batch.Reset()
		d.done(nil)
		return
	}
	if len(d.batch.Flaws) > 0 {
		flaw := d.batch.Flaws[0].Refusal
		c.tell("metrics are rejected", r, m, flaw.Reason, flaw.Err)
	}
	c.watches.see(d.batch.Readings)
	d.origin, d.batch.Origin = origin, origin
	if !c.out.Emit(&d.batch) {
		d.done(errRefused)
		return
	}
	r.last, r.seen = hash, true
}

// errRefused is what a delivery's done is given when Emit was false.
var errRefused = errors.New("refused")

// deliver returns a delivery for m that waits in line for its acknowledgement
// when m wants one. It returns nil when the broker is to send m again.
func (c *connection) deliver(m paho.Message, origin protocol.Origin) *delivery {
	d := c.pool.Get().(*delivery)
	if m.Qos() == 0 {
		return d
	}
	d.id, d.qos, d.resends = m.MessageID(), m.Qos(), origin.CanResend()
	if !c.owed.add(d) {
		d.release()
		return nil
	}
	return d
}

// tell logs the first message of a topic that is rejected for a reason, as a
// whole or in part.
func (c *connection) tell(what string, r *route, m paho.Message, reason string, err error) {
	if slices.Contains(r.told, reason) || r.device == nil || strings.HasPrefix(reason, "retained") {
		return // known, of nobody, or as the operator wants it
	}
	r.told = append(r.told, reason)
	level := slog.LevelWarn
	if reason == "kind" {
		level = slog.LevelInfo // beside others that hold readings
	}
	c.log.Log(context.Background(), level, what, "topic", m.Topic(), "device", r.name(), "reason", reason, "err", err)
}

// turnAway logs a device that is one too many, once, and of those no more than a few.
func (c *connection) turnAway(r *route, m paho.Message) {
	if r.row == nil || len(r.told) > 0 {
		return
	}
	r.told = append(r.told, r.reason)
	switch a := r.row.admitted; {
	case a.away < mostAway:
		c.log.Warn("device is turned away: its row has as many as it may", "device", r.away, "topic", m.Topic(), "row", r.row.Topic, "max", r.row.Max)
	case a.away == mostAway:
		c.log.Warn("more devices are turned away, which are not named any more", "row", r.row.Topic, "max", r.row.Max)
	}
	r.row.admitted.away++
}

// decode fills d's batch with the readings of m. It returns why there are none.
func (c *connection) decode(d *delivery, r *route, m paho.Message, hash uint64, at protocol.Timestamp) (reason string, err error) {
	switch {
	case r.device == nil:
		return r.reason, nil
	case m.Retained() && c.cfg.Retained == "ignore":
		return "retained", nil
	case m.Retained() && c.cfg.Retained == "once" && !m.Duplicate() && r.seen && r.last == hash:
		return "retained_duplicate", nil
	case len(m.Payload()) > maxPayload:
		return "size", fmt.Errorf("%d bytes, want at most %d", len(m.Payload()), maxPayload)
	}
	err = r.decoder.Decode(&d.batch, payload.Message{
		Payload: m.Payload(), Device: r.device, Received: at, Metric: r.metric, Topic: m.Topic(),
	})
	if err == nil {
		if len(d.batch.Readings) == 0 {
			return "empty", nil
		}
		return "", nil
	}
	if refusal, ok := errors.AsType[*protocol.Refusal](err); ok {
		return refusal.Reason, refusal.Err
	}
	return "decode", err
}

// hashOf returns the FNV-1a hash of topic, a zero byte and body. It stands in
// the journal, so it must never change.
func hashOf(topic string, body []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(topic) {
		h = (h ^ uint64(topic[i])) * prime
	}
	h *= prime
	for _, b := range body {
		h = (h ^ uint64(b)) * prime
	}
	return h
}
