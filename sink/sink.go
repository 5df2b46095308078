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
