package report

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"sluice/protocol"
)

// Desk decides on the readings of all devices. The pipeline's committer brings
// them; everybody may ask. It is safe for concurrent use.
type Desk struct {
	log  *slog.Logger
	seed maphash.Seed

	mu         sync.Mutex // guards all below
	start      time.Time
	now        time.Duration // since start, as of the last look at a clock
	devices    map[*protocol.Device]*device
	identities map[uint64]*device // by hash of the identity
	classes    []*class           // those without rules first
	counts     map[group]int
	queue      queue
	spare      []*held
	places     []int // scratch of one reading
	silence    news
}

// maxDevices bounds what the desk remembers; beyond, it forgets the device that was
// not heard for the longest time.
const maxDevices = 100_000

// New returns a desk without rules, whose clock shows now.
func New(now time.Time, log *slog.Logger) *Desk {
	return &Desk{
		log:        log,
		seed:       maphash.MakeSeed(),
		start:      now,
		devices:    map[*protocol.Device]*device{},
		identities: map[uint64]*device{},
		classes:    []*class{{reports: &protocol.Reports{}}},
		counts:     map[group]int{},
	}
}

// Release makes all that is held due now.
func (d *Desk) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.queue { // zero for all: the heap stays one
		h.due = 0
	}
}

// Look moves the desk's clock to now.
func (d *Desk) Look(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = now.Sub(d.start)
}

// Decide takes those readings out of b that are not to be reported now. Of these
// suppressed will not be, and held wait: Due hands them out, or owner is told that
// they are superseded.
func (d *Desk) Decide(b *protocol.Batch, owner Owner) (suppressed, held uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := 0
	for i := range b.Readings {
		switch d.decide(&b.Readings[i], owner) {
		case suppress:
			suppressed++
			continue
		case hold:
			held++
			continue
		}
		if kept != i {
			b.Readings[kept], b.Readings[i] = b.Readings[i], b.Readings[kept] // a swap keeps the room of both
		}
		kept++
	}
	b.Readings = b.Readings[:kept]
	return suppressed, held
}

func (d *Desk) decide(r *protocol.Reading, owner Owner) verdict {
	v := d.of(r.Device)
	if r.Presence != protocol.Unsaid {
		return d.told(v, r)
	}
	d.hear(v, r)
	if v.class == d.classes[0] || r.Historical {
		return pass
	}
	d.places = v.places(r, d.places[:0])
	is, wait := pass, protocol.Timestamp(0)
	if v.class.reports.All != nil {
		is, wait = v.judge(r, d.places)
		if len(v.held) > 0 {
			d.supersede(v, r)
		}
	}
	switch is {
	case suppress:
		v.suppressed++
	case hold:
		d.hold(v, r, wait, owner)
	default:
		v.note(r, d.places, false)
	}
	return is
}

// Forget makes the next readings of the devices in b due: b was not kept.
func (d *Desk) Forget(b *protocol.Batch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range b.Readings {
		if v := d.devices[b.Readings[i].Device]; v != nil {
			v.forget()
		}
	}
}

// of returns what is known of a device, beginning with nothing.
func (d *Desk) of(id *protocol.Device) *device {
	if v := d.devices[id]; v != nil {
		return v
	}
	key := d.hash(id)
	for ; ; key++ {
		v := d.identities[key]
		switch {
		case v == nil:
			return d.add(id, key)
		case sameIdentity(v.id, id): // the driver has begun anew
			delete(d.devices, v.id)
			v.id = id
			d.devices[id] = v
			d.move(v, d.classOf(id.Reports))
			return v
		}
	}
}

func (d *Desk) add(id *protocol.Device, key uint64) *device {
	for len(d.identities) >= maxDevices {
		d.drop(d.oldest())
	}
	v := &device{id: id, key: key, class: d.classOf(id.Reports), heard: d.now, state: Unheard}
	d.devices[id], d.identities[key] = v, v
	v.class.awake.push(v)
	d.counts[group{id.Driver, v.state}]++
	return v
}

// oldest returns the device that was not heard for the longest time.
func (d *Desk) oldest() (found *device) {
	for _, c := range d.classes {
		for _, v := range []*device{c.awake.last, c.quiet.last} {
			if v != nil && (found == nil || v.heard < found.heard) {
				found = v
			}
		}
	}
	return found
}

// drop forgets a device. What is held of it goes out.
func (d *Desk) drop(v *device) {
	for len(v.held) > 0 {
		d.hurry(v)
	}
	v.list().remove(v)
	delete(d.devices, v.id)
	delete(d.identities, v.key)
	d.counts[group{v.id.Driver, v.state}]--
}

func (d *Desk) hash(id *protocol.Device) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	for _, s := range []string{id.Driver, id.Profile, id.Name} {
		_, _ = h.WriteString(s) // never fails
		_ = h.WriteByte(0)
	}
	for _, t := range id.Tags {
		_, _ = h.WriteString(t.Key)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t.Value)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}
