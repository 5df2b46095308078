package pipeline

import (
	"time"

	"sluice/pipeline/report"
	"sluice/protocol"
)

// Presence is a device and when it was last heard.
type Presence = report.Presence

// PresenceState says whether a device is heard.
type PresenceState = report.State

// PresenceStates returns all states.
func PresenceStates() []PresenceState { return report.States() }

// The states that ask for a look.
const (
	DeviceSilent  = report.Silent
	DeviceOffline = report.Offline
)

// PresenceSummary counts devices by driver and state.
type PresenceSummary = report.Summary

// Release lets go out what report rules hold back. It may be called at any time.
func (p *Pipeline) Release() {
	p.committer.desk.Release()
	poke(p.wake)
}

// Expect names devices that there should be, so that one is missed that never says
// anything. It may be called at any time.
func (p *Pipeline) Expect(devices []*protocol.Device) {
	p.committer.desk.Expect(devices)
	poke(p.wake)
}

// Retire forgets devices that are gone. It may be called at any time.
func (p *Pipeline) Retire(gone func(*protocol.Device) bool) { p.committer.desk.Retire(gone) }

// Devices returns all devices that are expected or were heard, 100,000 at most,
// sorted.
func (p *Pipeline) Devices() []Presence { return p.committer.desk.Devices() }

// Presence returns the devices in short, with up to named of those that are silent.
func (p *Pipeline) Presence(named int) PresenceSummary { return p.committer.desk.Summary(named) }

// maxMade is how many readings the desk may hand out at a time.
const maxMade = 1024

// present takes readings from the desk that no driver emits now, at the end all that
// are held back. It reports whether there may be more.
func (c *committer) present(now time.Time, ending bool) (more bool) {
	if c.held >= c.maxGroup {
		return true
	}
	if ending {
		c.made = c.desk.Flush(c.made[:0])
	} else {
		c.made = c.desk.Due(now, maxMade, c.made[:0])
	}
	for _, m := range c.made {
		c.admit(m)
	}
	more = len(c.made) == maxMade && !ending
	clear(c.made) // the desk reuses the batches
	return more
}

// admit puts a reading from the desk among those that wait for the journal.
func (c *committer) admit(m report.Made) {
	e := entry{batch: m.Batch, readings: 1, size: sizeOf(m.Batch)}
	if m.Owner != nil {
		e.source = m.Owner.(*source)
		e.source.intake.enter(0, e.size) // it is in already
	} else if e.source = c.sourceOf(m.Driver); e.source != nil {
		e.source.intake.enter(1, e.size)
		for _, stage := range c.stages {
			stage.apply(e.batch)
		}
	} else {
		return // its driver has gone
	}
	c.waiting = append(c.waiting, e)
	c.held += e.size
}

func (c *committer) sourceOf(driver string) *source {
	for _, s := range c.sources {
		if s.intake.driver == driver {
			return s
		}
	}
	return nil
}
