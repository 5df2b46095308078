package mqtt

import (
	"sync"
	"sync/atomic"
	"time"

	"sluice/drivers"
	"sluice/protocol"
)

const (
	confirmEvery = 250 * time.Millisecond // least time between two pings of the acknowledger
	lastConfirm  = 250 * time.Millisecond // for the last answer when the driver ends
)

// acknowledger writes the acknowledgements of one connection and tells the
// pipeline when the broker has taken them. A written acknowledgement may still
// be lost with the connection, and then the broker sends the message again; only
// the answer to a ping behind it is certain.
//
// The acknowledgements go straight to the wire, many in one write: the library's
// Message.Ack costs two channel hops and a system call for each.
type acknowledger struct {
	wire    *wire
	owed    *owed
	unsure  *unsure
	notes   drivers.AckNoter
	handled *atomic.Uint64 // messages of QoS 1 and 2 that the connection has seen to
	fresh   *atomic.Bool   // one of them was not sent before

	packets []byte
	sent    []protocol.Origin // written and not confirmed, oldest first
	marked  int               // how many of sent the latest ping confirms
	ping    uint64            // the latest ping's number, 0 before the first
	quiet   bool              // when it was written, everything received was acknowledged
	seen    uint64            // handled then
	pinged  time.Time
}

// run acknowledges until stop is closed (then it returns nil) or writing fails,
// and keeps what is not confirmed for the next connection.
func (a *acknowledger) run(stop <-chan struct{}) error {
	defer func() { a.unsure.add(a.sent) }()
	again := time.NewTimer(confirmEvery)
	defer again.Stop()
	for {
		a.confirm()
		if err := a.write(a.due()); err != nil {
			return err
		}
		if len(a.sent) > 0 || a.unsure.any() {
			again.Reset(confirmEvery)
		}
		select {
		case <-a.owed.wake:
		case <-a.wire.pong:
		case <-again.C:
		case <-stop:
			a.finish()
			return nil
		}
	}
}

// due reports whether it is time for another ping.
func (a *acknowledger) due() bool {
	return a.wire.pongs.Load() >= a.ping && time.Since(a.pinged) >= confirmEvery
}

// write sends the acknowledgements that are due, with a ping when confirm is
// true and there is something to confirm.
func (a *acknowledger) write(confirm bool) error {
	seen := a.handled.Load() // before looking what is owed
	a.packets, a.sent = a.owed.take(a.packets[:0], a.sent)
	quiet := a.owed.idle()
	confirm = confirm && (len(a.sent) > 0 || a.unsure.any())
	if len(a.packets) == 0 && !confirm {
		return nil
	}
	ping, err := a.wire.acknowledge(a.packets, confirm)
	if err != nil {
		return err
	}
	if confirm {
		a.ping, a.marked, a.pinged = ping, len(a.sent), time.Now()
		a.quiet, a.seen = quiet, seen
	}
	return nil
}

// confirm notes what the broker has taken.
func (a *acknowledger) confirm() {
	confirmed, idle := 0, false
	if a.ping > 0 && a.wire.pongs.Load() >= a.ping {
		confirmed = a.marked
		idle = a.quiet && a.wire.before.Load() == a.seen
	}
	// A broker sends again what it has to before anything new, but not always
	// at once (mosquitto after a restart: as its window allows). What it has not
	// sent by its first new message, or when it has nothing at all to send, is
	// acknowledged.
	if (a.fresh.Load() || idle) && a.unsure.any() {
		a.note(a.unsure.take())
	}
	// More than there are packet ids: the oldest were used anew meanwhile.
	confirmed = max(confirmed, len(a.sent)-maxOwed)
	a.note(a.sent[:confirmed])
	a.sent = append(a.sent[:0], a.sent[confirmed:]...)
	a.marked = max(0, a.marked-confirmed)
}

func (a *acknowledger) note(origins []protocol.Origin) {
	for _, o := range origins {
		a.notes.Acknowledged(o)
	}
}

// finish writes what is due and waits a moment for the broker to confirm it.
func (a *acknowledger) finish() {
	if a.write(true) != nil {
		return
	}
	over := time.NewTimer(lastConfirm)
	defer over.Stop()
	for {
		a.confirm()
		if len(a.sent) == 0 {
			return
		}
		select {
		case <-a.wire.pong:
		case <-over.C:
			return
		}
	}
}

// unsure holds the origins of messages whose acknowledgement was written on an
// earlier connection and may or may not have reached the broker. It is safe for
// concurrent use.
type unsure struct {
	mu      sync.Mutex
	origins map[unsureKey]protocol.Origin
}

type unsureKey struct {
	id   uint16
	hash uint64
}

func keyOf(o protocol.Origin) unsureKey { return unsureKey{o.PacketID, o.Hash} }

func (u *unsure) add(origins []protocol.Origin) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range origins {
		if u.origins == nil || len(u.origins) >= maxOwed {
			u.origins = map[unsureKey]protocol.Origin{}
		}
		u.origins[keyOf(o)] = o
	}
}

// drop forgets o: the broker has sent it again.
func (u *unsure) drop(o protocol.Origin) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.origins, keyOf(o))
}

func (u *unsure) any() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.origins) > 0
}

// take removes and returns all.
func (u *unsure) take() []protocol.Origin {
	u.mu.Lock()
	defer u.mu.Unlock()
	var origins []protocol.Origin
	for _, o := range u.origins {
		origins = append(origins, o)
	}
	u.origins = nil
	return origins
}
