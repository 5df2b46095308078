package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"sluice/protocol"
)

// State is what is known of a device's presence.
type State string

// The states.
const (
	Unheard State = "unheard" // expected, but it has not said anything since the start
	Live    State = "live"
	Silent  State = "silent"  // nothing came for longer than its stale_after
	Offline State = "offline" // its last reading says that it is gone
)

// States returns all states.
func States() []State { return []State{Unheard, Live, Silent, Offline} }

// Presence is a device as of a moment.
type Presence struct {
	Device     *protocol.Device
	State      State
	Heard      protocol.Timestamp // when its last reading was received, 0: never since the start
	Readings   uint64             // that came since the start
	Suppressed uint64             // of these
}

// Devices returns all devices, sorted by driver, name and profile.
func (d *Desk) Devices() []Presence {
	all := d.unsorted()
	slices.SortFunc(all, func(a, b Presence) int {
		return cmp.Or(cmp.Compare(a.Device.Driver, b.Device.Driver), cmp.Compare(a.Device.Name, b.Device.Name),
			cmp.Compare(a.Device.Profile, b.Device.Profile))
	})
	return all
}

func (d *Desk) unsorted() []Presence {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Presence, 0, len(d.identities))
	for _, v := range d.identities {
		all = append(all, v.presence())
	}
	return all
}

// Summary is all devices in short.
type Summary struct {
	Silent []Presence // some of them
	counts map[group]int
}

// group is devices of one driver in one state.
type group struct {
	driver string
	state  State
}

// Of returns how many devices of a driver are in a state, with "" for any driver.
func (s *Summary) Of(driver string, state State) (count int) {
	if driver != "" {
		return s.counts[group{driver, state}]
	}
	for g, n := range s.counts {
		if g.state == state {
			count += n
		}
	}
	return count
}

// Summary counts the devices, and names up to named of the silent ones. Of those with
// the same rules they are the last that fell silent.
func (d *Desk) Summary(named int) Summary {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Summary{counts: maps.Clone(d.counts)}
	for _, c := range d.classes {
		for v := c.quiet.first; v != nil && len(s.Silent) < named; v = v.older {
			s.Silent = append(s.Silent, v.presence())
		}
	}
	return s
}

func (v *device) presence() Presence {
	return Presence{v.id, v.state, v.last, v.readings, v.suppressed}
}

// Expect notes devices that there should be, so that one that never says anything
// is missed. Their clocks start now.
func (d *Desk) Expect(devices []*protocol.Device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range devices {
		d.of(id)
	}
}

// Retire forgets the devices that are gone.
func (d *Desk) Retire(gone func(*protocol.Device) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.identities {
		if gone(v.id) {
			d.drop(v)
		}
	}
}

// hear notes that r came.
func (d *Desk) hear(v *device, r *protocol.Reading) {
	v.readings++
	v.last, v.heard = r.ReceivedTime, d.now
	l := v.list()
	if v.state == Silent {
		l.remove(v)
		v.class.awake.push(v)
		d.silence.back.add(v.id.Name)
	} else if l.first != v {
		l.remove(v)
		l.push(v)
	}
	if isDeath(r) {
		d.turn(v, Offline)
	} else {
		d.turn(v, Live)
	}
}

// told notes what v, or its last will, says of itself. Where its metrics are known, as
// of a device that can fall silent or has report rules, the first word that it is gone
// becomes a reading in which all of them are null and bad.
func (d *Desk) told(v *device, r *protocol.Reading) verdict {
	was := v.state
	d.hear(v, r)
	if r.Presence != protocol.Offline || was == Offline || was == Silent || len(v.metrics) == 0 {
		v.suppressed++
		return suppress
	}
	r.Metrics = append(r.Metrics[:0], v.lastWord(r.ReceivedTime).Batch.Readings[0].Metrics...)
	d.supersede(v, r)
	return pass
}

// turn brings v into a state.
func (d *Desk) turn(v *device, state State) {
	if v.state == state {
		return
	}
	d.counts[group{v.id.Driver, v.state}]--
	d.counts[group{v.id.Driver, state}]++
	v.state = state
}

// isDeath reports whether r says that its device is gone: it has nothing but bad
// nulls, or is told to be.
func isDeath(r *protocol.Reading) bool {
	if r.Presence == protocol.Online {
		return false
	}
	for i := range r.Metrics {
		if m := &r.Metrics[i]; m.Quality != protocol.Bad || !m.Value.IsNull() {
			return false
		}
	}
	return true
}

// list returns the list that v is in.
func (v *device) list() *list {
	if v.state == Silent {
		return &v.class.quiet
	}
	return &v.class.awake
}

// list is devices by when they were heard, the newest first.
type list struct{ first, last *device }

func (l *list) push(v *device) {
	v.newer, v.older = nil, l.first
	if l.first != nil {
		l.first.newer = v
	} else {
		l.last = v
	}
	l.first = v
}

func (l *list) remove(v *device) {
	if v.newer != nil {
		v.newer.older = v.older
	} else {
		l.first = v.older
	}
	if v.older != nil {
		v.older.newer = v.newer
	} else {
		l.last = v.newer
	}
	v.newer, v.older = nil, nil
}

func sameIdentity(a, b *protocol.Device) bool {
	return a.Driver == b.Driver && a.Profile == b.Profile && a.Name == b.Name && slices.Equal(a.Tags, b.Tags)
}

// staleAt returns when the class' next device falls silent, false when none will.
func (c *class) staleAt() (time.Duration, bool) {
	if c.reports.StaleAfter == 0 || c.awake.last == nil {
		return 0, false
	}
	return c.awake.last.heard + c.reports.StaleAfter, true
}
