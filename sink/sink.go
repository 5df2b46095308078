// Package sink holds the contract between the gateway and the places where
// readings go: Sink, and the vocabulary in which a sink says what went wrong. A
// sink classifies, since it knows its far end; the pipeline's delivery decides,
// since it knows the policy.
package sink

import (
	"context"

	"sluice/protocol"
)

// Sink is a destination of readings. Its methods are called by one delivery,
// one at a time.
type Sink interface {
	// Write stores the readings at the far end, in order. Nil means that the
	// far end has confirmed all of them. Any error means that they will be
	// written again, with the same ids, so a sink that can promises to store
	// each id once; what makes an error more than "try again" is said with
	// Permanent, RetryAfter and PartialError. Write returns when ctx ends
	// and keeps neither the slice nor what it refers to.
	Write(ctx context.Context, readings []protocol.Reading) error

	// Close lets go of the far end. It is called once, after the last Write.
	Close() error
}

// Connector is an optional interface of a Sink that can tell whether its far end
// is there before there is anything to write.
type Connector interface {
	// Connect reaches the far end, makes ready what Write needs there, and
	// says why when it cannot. It returns when ctx ends, is called between
	// Writes, and may be called again.
	Connect(ctx context.Context) error
}

// Rememberer is an optional interface of a Sink that needs to know, after a
// restart, how far it had come: an offset in a file, a sequence of a stream.
type Rememberer interface {
	// Recall gives back what Remember returned last, before the first Connect
	// or Write. It is empty for a sink that is new. After a crash it may be
	// older than what was written since; then the readings written since are
	// written again.
	Recall(memory []byte)

	// Remember returns at most 400 bytes, which are kept together with the
	// sink's place in the journal. It is called after every Write that stored
	// readings. The result may change with the next call.
	Remember() []byte
}

// Meter is an optional interface of a Sink that counts what goes over the wire,
// since some pay for it by the byte. It is safe for concurrent use.
type Meter interface {
	Traffic() Traffic
}

// Traffic is what a sink has exchanged with its far end since it was made.
type Traffic struct {
	Requests uint64 // messages or requests sent
	Sent     uint64 // bytes, with the overhead of the protocol as far as it is known
	Received uint64 // bytes
}

// Doubter is an optional interface of a Sink that stores each reading once, as long
// as its far end can tell what it holds. It is safe for concurrent use.
type Doubter interface {
	// PossiblyDuplicated returns how many readings were written although the
	// far end could not tell whether it had them.
	PossiblyDuplicated() uint64
}
