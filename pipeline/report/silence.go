package report

import (
	"time"

	"sluice/protocol"
)

// Made is a batch of one reading that no driver brings at that moment.
type Made struct {
	Batch  *protocol.Batch // handed over until its Done
	Owner  Owner           // of a reading that was held; nil: it says that its device is silent
	Driver string          // of the silent device
}

// Due appends what goes out at the time now, up to most readings: what was held
// long enough, and for each device that has fallen silent a reading in which all of
// its metrics are null and bad.
func (d *Desk) Due(now time.Time, most int, made []Made) []Made {
	d.mu.Lock()
	d.now = now.Sub(d.start)
	for len(made) < most && len(d.queue) > 0 && d.queue[0].due <= d.now {
		made = append(made, d.release())
	}
	made = d.fallSilent(protocol.At(now), most, made)
	told := d.silence.take()
	d.mu.Unlock()
	told.log(d.log)
	return made
}

// Flush appends all that is held, for the end.
func (d *Desk) Flush(made []Made) []Made {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 {
		made = append(made, d.release())
	}
	return made
}

// Wait returns how long after the last look at the clock something is due, 0 when
// nothing ever is.
func (d *Desk) Wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	var next time.Duration
	found := len(d.queue) > 0
	if found {
		next = d.queue[0].due
	}
	for _, c := range d.classes {
		if at, any := c.staleAt(); any && (!found || at < next) {
			next, found = at, true
		}
	}
	if !found {
		return 0
	}
	return max(next-d.now, time.Millisecond)
}

func (d *Desk) fallSilent(now protocol.Timestamp, most int, made []Made) []Made {
	for _, c := range d.classes {
		for len(made) < most {
			if at, any := c.staleAt(); !any || at > d.now {
				break
			}
			v := c.awake.last
			c.awake.remove(v)
			was := v.state
			d.turn(v, Silent)
			c.quiet.push(v)
			d.silence.fell.add(v.id.Name)
			if was != Offline && len(v.metrics) > 0 {
				made = append(made, v.lastWord(now))
			}
		}
	}
	return made
}

// lastWord makes the reading of a silent device.
func (v *device) lastWord(now protocol.Timestamp) Made {
	b := &protocol.Batch{}
	r := b.Add()
	r.Device, r.ReceivedTime = v.id, now
	for i := range v.metrics {
		s := &v.metrics[i]
		s.value, s.quality, s.at, s.known = protocol.Value{}, protocol.Bad, now, true
		r.Metrics = append(r.Metrics, protocol.Metric{Name: s.name, Unit: s.unit, Quality: protocol.Bad})
	}
	return Made{Batch: b, Driver: v.id.Driver}
}
