package mqtt

import (
	"sync"

	"sluice/protocol"
)

// delivery is one message on its way: the batch made of it and, for QoS 1 and
// 2, the acknowledgement that its connection owes. Deliveries are pooled.
type delivery struct {
	batch protocol.Batch // its Done is bound once, to settle
	pool  *sync.Pool
	owed  *owed // nil: nothing to acknowledge

	id      uint16 // packet id
	qos     byte
	resends bool            // the broker keeps the message until it is acknowledged
	origin  protocol.Origin // to note once acknowledged, zero when nothing was kept

	verdict verdict   // guarded by owed.mu
	next    *delivery // guarded by owed.mu
}

type verdict uint8

const (
	pending verdict = iota // the pipeline has it
	kept                   // to be acknowledged
	refused                // to be sent again
)

func newPool() *sync.Pool {
	pool := &sync.Pool{}
	pool.New = func() any {
		d := &delivery{pool: pool}
		d.batch.Done = d.done
		return d
	}
	return pool
}

// release gives d back to the pool. Nobody else may hold it.
func (d *delivery) release() {
	d.batch.Reset()
	*d = delivery{batch: d.batch, pool: d.pool}
	d.pool.Put(d)
}

// done is the batch's Done. It may come long after the connection has gone.
func (d *delivery) done(err error) {
	switch {
	case d.owed == nil:
		d.release()
	case err != nil && d.resends:
		d.owed.settle(d, refused)
	default:
		d.owed.settle(d, kept)
	}
}

// maxOwed is how many messages a broker may have in flight to one client: it
// has no more packet ids.
const maxOwed = 65535

// owed holds the deliveries of one connection that are to be acknowledged, in
// the order of receipt, which is the order that MQTT wants acknowledgements in.
// The first one refused ends it: nothing newer is acknowledged, so that the
// broker sends everything from there on again, in order.
type owed struct {
	wake    chan struct{} // settle tells the acknowledger; 1 is enough, it looks at everything
	refusal chan struct{} // closed by the first refusal

	mu         sync.Mutex // guards what follows
	head, tail *delivery
	count      int
	refusing   bool
	closed     bool
}

func newOwed() *owed {
	return &owed{wake: make(chan struct{}, 1), refusal: make(chan struct{})}
}

// add puts d in line. It reports false, and takes nothing, once something was
// refused or when the broker has more in flight than there are packet ids.
func (o *owed) add(d *delivery) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.count >= maxOwed {
		o.refuse()
	}
	if o.refusing || o.closed {
		return false
	}
	d.owed = o
	if o.tail == nil {
		o.head = d
	} else {
		o.tail.next = d
	}
	o.tail = d
	o.count++
	return true
}

// refuse is called under mu.
func (o *owed) refuse() {
	if !o.refusing {
		o.refusing = true
		close(o.refusal)
	}
}

// settle says what became of d. It never blocks.
func (o *owed) settle(d *delivery, v verdict) {
	o.mu.Lock()
	d.verdict = v
	if o.closed {
		o.mu.Unlock()
		d.release()
		return
	}
	if v == refused {
		o.refuse()
	}
	first := d == o.head
	o.mu.Unlock()
	if first {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// take removes the deliveries that can be acknowledged now. It appends their
// acknowledgement packets and the origins of those that the pipeline knows.
func (o *owed) take(packets []byte, origins []protocol.Origin) ([]byte, []protocol.Origin) {
	const puback, pubrec = 0x40, 0x50
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.head != nil && o.head.verdict == kept {
		d := o.head
		o.head = d.next
		o.count--
		kind := byte(puback)
		if d.qos == 2 {
			kind = pubrec
		}
		packets = append(packets, kind, 2, byte(d.id>>8), byte(d.id))
		if d.origin.CanResend() {
			origins = append(origins, d.origin)
		}
		d.release()
	}
	if o.head == nil {
		o.tail = nil
	}
	return packets, origins
}

// idle reports whether everything received so far was acknowledged.
func (o *owed) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count == 0 && !o.refusing
}

// close drops what is left: the broker sends it again on the next connection. A
// delivery whose Done is yet to come is released by it.
func (o *owed) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for d := o.head; d != nil; {
		next := d.next
		if d.verdict != pending {
			d.release()
		}
		d = next
	}
	o.head, o.tail = nil, nil
}
