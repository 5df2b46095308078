package bus

import (
	"math/rand/v2"
	"time"
)

const maxBurst = 64 // bytes that somebody babbles at once

// random is what happens by chance, by the seed.
type random struct{ *rand.Rand }

// N returns a time from 0 up to d.
func (r random) N(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// noise returns up to most random bytes.
func (b *Bus) noise(most int) []byte {
	p := make([]byte, 1+b.random.IntN(most))
	for i := range p {
		p[i] = byte(b.random.Uint32())
	}
	return p
}

// disturb puts noise on the line.
func (b *Bus) disturb(c *conn, at time.Time, f Fault, unit uint8, most int) time.Time {
	t := &transmission{
		to: c, start: at, char: c.wire.char, bytes: b.noise(most), unit: unit, faults: 1 << f, unasked: true,
	}
	c.wire.launch(t)
	return t.end()
}

// unasked returns when somebody talks next whom no master has asked, zero for
// never. Of a device that has not talked yet that is now, so that its time is
// settled.
func (b *Bus) unasked(now time.Time) time.Time {
	var at time.Time
	for _, d := range b.talkers {
		if d.next.IsZero() {
			return now
		}
		at = sooner(at, d.next)
	}
	if b.armed(Babble) != nil && b.options.Mode != TCP {
		at = sooner(at, later(now, b.babble))
	}
	return at
}

// talk has those talk whom no master has asked.
func (b *Bus) talk(c *conn, now time.Time) {
	if t := b.armed(Babble); t != nil && b.options.Mode != TCP && !now.Before(b.babble) {
		if t.Chance == 0 || b.random.Float64() < t.Chance {
			t.struck++
			b.count(Babble, 0)
			b.babble = b.disturb(c, now, Babble, 0, maxBurst).Add(t.Delay)
		} else {
			b.babble = now.Add(max(t.Delay, c.wire.span(maxBurst)))
		}
	}
	for _, d := range b.talkers {
		switch {
		case d.next.IsZero(): // not all at once
			d.next = now.Add(b.random.N(d.Every))
		case now.Before(d.next):
		case c.wire.free().After(now):
			d.next = c.wire.free()
		default:
			b.say(c, d, now)
		}
	}
}

// say has a device say what it says by itself.
func (b *Bus) say(c *conn, d *device, now time.Time) {
	if d.next = d.next.Add(d.Every); d.next.Before(now) {
		d.next = now.Add(d.Every)
	}
	if _, silent := b.strikes(Silent, d.Unit); silent {
		return
	}
	if text := d.Talk(now); len(text) > 0 {
		b.send(&reply{to: c, unit: d.Unit, text: text, start: now, answers: b.said(d, text), unasked: true})
	}
}
