package nats

import (
	"context"
	"errors"
	"sync"
)

var (
	errNotYet = errors.New("there is no connection yet")
	errClosed = errors.New("the server has closed the connection")
)

// link is what nats.go reports of its connection. Asking nats.go itself would
// wait for its lock, which it holds while it dials.
type link struct {
	faults  chan error    // sent by nats.go's callbacks, one is enough, never closed
	closed  chan struct{} // closed when nats.go has given up or was told to
	refusal chan struct{} // closed when cause says why the first attempt failed

	mu    sync.Mutex
	alive context.Context    // ends when the connection is lost; nil without one
	fall  context.CancelFunc // ends alive
	cause error              // why there is no connection
	quit  context.CancelFunc // ends the request under way, nil without one
}

func newLink() *link {
	return &link{faults: make(chan error, 1), closed: make(chan struct{}), refusal: make(chan struct{}), cause: errNotYet}
}

// up notes that there is a connection.
func (l *link) up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alive == nil {
		l.alive, l.fall = context.WithCancel(context.Background())
	}
	l.cause = nil
}

// lost notes why there is none. A nil cause keeps the former one.
func (l *link) lost(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alive != nil {
		l.fall()
		l.alive = nil
	}
	if cause != nil {
		l.cause = cause
	}
	if l.cause == nil {
		l.cause = errClosed
	}
	select {
	case <-l.refusal:
	default:
		close(l.refusal)
	}
}

// state returns a context that ends when the present connection is lost, or why
// there is none.
func (l *link) state() (context.Context, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.alive == nil {
		return nil, l.cause
	}
	return l.alive, nil
}

// fault notes something that the server said about no message in particular,
// such as that publishing is not permitted.
func (l *link) fault(err error) {
	select {
	case l.faults <- err:
	default: // one is there already
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.quit != nil {
		l.quit()
	}
}

// asks makes a fault call quit, since the request under way will have no answer.
// Nil says that it is over.
func (l *link) asks(quit context.CancelFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quit = quit
}

// isOver reports whether nats.go will not connect again.
func (l *link) isOver() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}
