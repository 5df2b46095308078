package drivers

import (
	"context"
	"errors"
	"time"

	"sluice/protocol"
)

// Commander is an optional interface of a Driver whose devices can be told
// something: to switch, to take a set-point.
type Commander interface {
	// Command tells a device something and waits until the device has
	// answered, but no longer than ctx. It is safe for concurrent use, also
	// while Run is not running. Commands go before what the driver does by
	// itself, in the order in which they come. An error that wraps ErrUnsent
	// means that nothing was sent, one that wraps ErrRefused that the device
	// has answered no; after any other one without a Value in the Answer it
	// may have done what it was told.
	Command(ctx context.Context, device string, c Command) (Answer, error)
}

// Command is one of the commands of a device's profile.
type Command struct {
	Name  string // as the profile calls it
	Value string // what the operator wants, as people write it; "": what the profile says
}

// Answer is what became of a command.
type Answer struct {
	Value protocol.Value // what the device says it has now; null: it was not asked, or has nothing to say
	Took  time.Duration  // from the command's turn to the answer
	Note  string         // what the operator should know beside it, "" when nothing
}

// Listener is an optional interface of a Commander that gets to know its devices
// by what they send.
type Listener interface {
	// Heard returns the devices that sent something since the driver was
	// made, as many as it remembers. It is safe for concurrent use.
	Heard() []*protocol.Device
}

// Replier is an optional interface of a Driver that answers its devices by
// itself.
type Replier interface {
	// DroppedReplies counts the answers that were dropped because nobody took
	// them, since the driver was made. It is safe for concurrent use.
	DroppedReplies() uint64
}

// The reasons why a command is not sent. Each wraps ErrUnsent.
var (
	ErrUnsent  = errors.New("command was not sent")
	ErrUnknown = unsent("there is no such device or command")
	ErrValue   = unsent("the value is wrong")
	ErrFull    = unsent("too many commands are waiting")
	ErrOffline = unsent("the driver is not connected")
)

// ErrRefused says that the device has answered that it does not do what it was
// told.
var ErrRefused = errors.New("the device refuses")

// unsentError is a reason for ErrUnsent.
type unsentError struct{ reason string }

func unsent(reason string) error { return &unsentError{reason} }

// Error returns what happened and why.
func (e *unsentError) Error() string { return ErrUnsent.Error() + ": " + e.reason }

// Unwrap returns ErrUnsent.
func (e *unsentError) Unwrap() error { return ErrUnsent }
