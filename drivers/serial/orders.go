package serial

import (
	"context"
	"sync"
	"time"

	"sluice/drivers"
)

// order is a command on its way to a device.
type order struct {
	ctx     context.Context // the caller's: once it has ended nothing is sent
	station *station
	name    string
	step    step
	timeout time.Duration
	reply   chan reply // the session sends once, so the room of 1 never blocks; never closed
}

// reply is what the caller gets.
type reply struct {
	answer drivers.Answer
	err    error
}

// maxOrders is how many commands may wait. One takes some tenths of a second, and
// who has waited for more than a few has given up.
const maxOrders = 8

// orders are the commands that wait for their turn. They are safe for concurrent
// use.
type orders struct {
	// queue: callers of Command send under mu, the session receives, nobody
	// closes it; the capacity is what may wait.
	queue chan *order

	mu   sync.Mutex // guards wake, and sending to queue
	wake func()     // ends the wait of who serves the queue; nil: nobody does
}

func newOrders() *orders { return &orders{queue: make(chan *order, maxOrders)} }

// put adds an order, or returns drivers.ErrFull or drivers.ErrOffline.
func (q *orders) put(o *order) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.wake == nil {
		return drivers.ErrOffline
	}
	select {
	case q.queue <- o:
		q.wake()
		return nil
	default:
		return drivers.ErrFull
	}
}

// begin lets orders in. wake is called for each of them.
func (q *orders) begin(wake func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake = wake
}

// end refuses the orders that wait, and all that come.
func (q *orders) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake = nil
	for o := q.next(); o != nil; o = q.next() {
		o.reply <- reply{err: drivers.ErrOffline}
	}
}

// waiting reports whether an order waits.
func (q *orders) waiting() bool { return len(q.queue) > 0 }

// next returns the next order, nil when none waits.
func (q *orders) next() *order {
	select {
	case o := <-q.queue:
		return o
	default:
		return nil
	}
}
