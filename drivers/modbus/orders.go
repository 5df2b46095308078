package modbus

import (
	"context"
	"sync"
	"time"

	"sluice/drivers"
	"sluice/protocol"
)

// order is a command on its way to a unit.
type order struct {
	ctx     context.Context // the caller's: once it has ended nothing is sent
	unit    *unit
	command *command
	value   protocol.Value // as it is put into the registers
	reply   chan reply     // the bus sends once, so the room of 1 never blocks; never closed
}

// reply is what the caller gets.
type reply struct {
	answer drivers.Answer
	err    error
}

// maxOrders is how many commands may wait. One takes some tenths of a second on
// a slow line, and who has waited for more than a few has given up.
const maxOrders = 8

// orders are the commands that wait for their turn. They are safe for concurrent
// use.
type orders struct {
	// queue: callers of Command send under mu, the bus receives, nobody
	// closes it; the capacity is what may wait.
	queue chan *order

	mu   sync.Mutex // guards open, and sending to queue
	open bool       // somebody serves the queue
}

func newOrders() *orders { return &orders{queue: make(chan *order, maxOrders)} }

// put adds an order, or returns drivers.ErrFull or drivers.ErrOffline.
func (q *orders) put(o *order) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open {
		return drivers.ErrOffline
	}
	select {
	case q.queue <- o:
		return nil
	default:
		return drivers.ErrFull
	}
}

// begin lets orders in.
func (q *orders) begin() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = true
}

// end refuses the orders that wait, and all that come.
func (q *orders) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = false
	for {
		select {
		case o := <-q.queue:
			o.reply <- reply{err: drivers.ErrOffline}
		default:
			return
		}
	}
}

// wait waits for the next order until a time, or the end of ctx. The timer is
// the caller's, stopped, and is stopped again on return.
func (q *orders) wait(ctx context.Context, timer *time.Timer, until time.Duration) *order {
	timer.Reset(until)
	defer timer.Stop()
	select {
	case o := <-q.queue:
		return o
	case <-ctx.Done():
	case <-timer.C:
	}
	return nil
}

// next returns the next order, nil when none waits.
func (q *orders) next() *order {
	select {
	case o := <-q.queue:
		return o
	default:
		return nil
	}
}
