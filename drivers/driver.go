// Package drivers holds the contract between the gateway and the code that
// talks to devices: Driver, the Emitter it hands its readings to, the Status it
// reports, and Supervise, which keeps it running.
package drivers

import (
	"context"

	"sluice/protocol"
)

// Driver is an instance that talks to devices: one broker, one port, one bus.
type Driver interface {
	// Run talks to the devices and emits what they report until ctx ends
	// (then it returns nil) or the devices are lost (then it returns why).
	// Every goroutine it started has ended when it returns, and it may be run
	// again. It is never run twice at a time.
	Run(ctx context.Context, e Emitter) error
}

// Emitter takes readings from a driver. The pipeline offers one per driver.
type Emitter interface {
	// Emit hands over a batch. It never blocks and is safe for concurrent
	// use; batches of one caller stay in order. True: the pipeline owns the
	// batch until it has called its Done. False: the batch was not accepted
	// and counted as refused (when its origin can resend) or dropped, Done
	// will not be called, and the driver withholds its acknowledgement.
	Emit(b *protocol.Batch) bool
}

// Roomer is an optional interface of an Emitter that can say when it is worth
// trying again after a refusal.
type Roomer interface {
	// Room reports whether at least half the intake is free.
	Room() bool
}

// Accountant is an optional interface of an Emitter that counts what never
// becomes a batch, so that every message received is accounted for.
type Accountant interface {
	// Reject counts a message of device (its name, "" when not known) that
	// will never give a reading, and why, in one or two words.
	Reject(device, reason string)
	// Refuse counts a message left unread for its source to send again.
	Refuse()
}

// Skipper is an optional interface of an Emitter that counts bytes which belong
// to no message, such as noise on a line.
type Skipper interface {
	// Skip counts that many bytes.
	Skip(bytes int64)
}

// AckNoter is an optional interface of an Emitter that recognises messages
// which a source sends again although they are kept already.
type AckNoter interface {
	// Acknowledged notes that the acknowledgement of a kept batch was
	// written to the source, so that its packet id may come to mean another
	// message.
	Acknowledged(o protocol.Origin)
	// SessionLost notes that the driver's source has forgotten the session:
	// whatever it sends from now on is new.
	SessionLost(driver string)
	// Recalled returns, once, the messages that an earlier process kept and
	// whose acknowledgement the source may not have got. The driver notes
	// those that the source does not send again as acknowledged.
	Recalled() []protocol.Origin
}
