package sink

import (
	"errors"
	"fmt"
	"time"
)

// Permanent marks an error that will come again however often the same readings
// are written, such as a value that the far end cannot hold. The delivery looks
// for the readings at fault and sets them aside. What an operator can mend (a
// missing bucket, a wrong password) is not permanent. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// RetryAfter adds to err the far end's wish not to be asked again before wait
// has passed. RetryAfter(nil, …) is nil.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, wait}
}

// RetryWait returns the wish that RetryAfter added to err, 0 without one.
func RetryWait(err error) time.Duration {
	var r *retryAfterError
	if errors.As(err, &r) {
		return r.wait
	}
	return 0
}

type retryAfterError struct {
	err  error
	wait time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// PartialError says that some readings of a batch were rejected for good while
// the far end has confirmed all others.
type PartialError struct {
	Rejected []Rejection // ascending by Index, never empty
}

// Rejection is one reading that the far end will never take.
type Rejection struct {
	Index int // in the slice given to Write
	Err   error
}

func (e *PartialError) Error() string {
	first := e.Rejected[0]
	return fmt.Sprintf("%d readings rejected, the first: %v", len(e.Rejected), first.Err)
}
