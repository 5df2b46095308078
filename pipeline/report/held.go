package report

import (
	"container/heap"
	"slices"
	"time"

	"sluice/protocol"
)

// held is a reading that waits until min has passed.
type held struct {
	batch  protocol.Batch // the reading alone
	device *device
	owner  Owner
	due    time.Duration // on the desk's clock
	index  int           // in the queue
}

// Owner keeps the accounts of the intake that a reading came from.
type Owner interface {
	// Superseded counts a reading that was held as suppressed.
	Superseded()
}

// queue is a heap of what is held, the first due first.
type queue []*held

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, k int) bool { return q[i].due < q[k].due }
func (q queue) Swap(i, k int) {
	q[i], q[k] = q[k], q[i]
	q[i].index, q[k].index = i, k
}
func (q *queue) Push(x any) { x.(*held).index = len(*q); *q = append(*q, x.(*held)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// maxHeld bounds the readings held of one device. They differ in their metrics.
const maxHeld = 64

// hold keeps a copy of r for a time.
func (d *Desk) hold(v *device, r *protocol.Reading, wait protocol.Timestamp, owner Owner) {
	h := d.free()
	copied := h.batch.Add()
	metrics := append(copied.Metrics, r.Metrics...)
	*copied = *r
	copied.Metrics = metrics
	h.device, h.owner, h.due = v, owner, d.now+time.Duration(wait)
	v.held = append(v.held, h)
	heap.Push(&d.queue, h)
	if len(v.held) > maxHeld {
		d.hurry(v)
	}
}

// hurry makes the reading of v that is held longest due now, for good.
func (d *Desk) hurry(v *device) {
	h := v.held[0]
	v.held = slices.Delete(v.held, 0, 1)
	h.due = 0
	heap.Fix(&d.queue, h.index)
}

// free returns a held without a reading.
func (d *Desk) free() *held {
	if n := len(d.spare); n > 0 {
		h := d.spare[n-1]
		d.spare = d.spare[:n-1]
		return h
	}
	h := &held{}
	h.batch.Done = func(error) {
		d.mu.Lock()
		d.recycle(h)
		d.mu.Unlock()
	}
	return h
}

// maxSpare bounds what is kept for reuse.
const maxSpare = 1024

func (d *Desk) recycle(h *held) {
	h.batch.Reset()
	h.device, h.owner = nil, nil
	if len(d.spare) < maxSpare {
		d.spare = append(d.spare, h)
	}
}

// supersede lets go of what is held of v, is no newer than r and has no metric that
// r lacks.
func (d *Desk) supersede(v *device, r *protocol.Reading) {
	kept := v.held[:0]
	for _, h := range v.held {
		if old := &h.batch.Readings[0]; old.Time() > r.Time() || !covers(r, old) {
			kept = append(kept, h)
			continue
		}
		heap.Remove(&d.queue, h.index)
		v.suppressed++
		h.owner.Superseded()
		d.recycle(h)
	}
	clear(v.held[len(kept):])
	v.held = kept
}

// covers reports whether r has all the metrics of old.
func covers(r, old *protocol.Reading) bool {
	next := 0
	for i := range old.Metrics {
		name := old.Metrics[i].Name
		if next < len(r.Metrics) && r.Metrics[next].Name == name {
			next++
			continue
		}
		at := slices.IndexFunc(r.Metrics, func(m protocol.Metric) bool { return m.Name == name })
		if at < 0 {
			return false
		}
		next = at + 1
	}
	return true
}

// release takes the first of the queue out of it.
func (d *Desk) release() Made {
	h := heap.Pop(&d.queue).(*held)
	v := h.device
	if i := slices.Index(v.held, h); i >= 0 {
		v.held = slices.Delete(v.held, i, i+1)
	}
	r := &h.batch.Readings[0]
	d.places = v.places(r, d.places[:0])
	v.note(r, d.places, true)
	return Made{Batch: &h.batch, Owner: h.owner}
}
