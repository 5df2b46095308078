package main

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// toldRow is one of a driver's devices that can be told something, or all that a
// topic captures.
type toldRow struct {
	device  string // "": those that topic captures
	topic   string
	profile string
	toldProfile
}

// toldProfile is the commands of a profile, by name.
type toldProfile map[string]payload.Command

// toldRows returns the rows of a driver whose devices can be told something.
func toldRows(d config.Driver) (rows []toldRow) {
	add := func(device, topic, profile string, p *payload.Profile) {
		if p != nil && len(p.Commands) > 0 {
			rows = append(rows, toldRow{device, topic, profile, p.Commands})
		}
	}
	for _, dev := range d.MQTTDevices {
		add(dev.Name, dev.Topic, dev.Profile, dev.Decode)
	}
	for _, dev := range d.ModbusDevices {
		add(dev.Name, "", dev.Profile, dev.Decode)
	}
	for _, dev := range d.SerialDevices {
		add(dev.Name, "", dev.Profile, dev.Decode)
	}
	return rows
}

// list says what a row's devices can be told.
func (r *toldRow) list(driver string, out *answer) error {
	l := listedCommand{Driver: driver, Device: r.device}
	if r.device == "" {
		l.Topic = r.topic
	}
	for _, name := range slices.Sorted(maps.Keys(r.toldProfile)) {
		c := r.toldProfile[name]
		l.Command, l.Value, l.Unit = name, c.Wanted(), c.Unit
		if err := out.say(l); err != nil {
			return err
		}
	}
	return nil
}

// known returns the rows of devices whose names are known: those of the
// configuration, and those that were heard.
func (d *driver) known() []toldRow {
	byProfile, names := map[string][]toldRow{}, map[[2]string]int{}
	var rows []toldRow
	for _, r := range d.rows {
		if r.device == "" {
			if !slices.ContainsFunc(byProfile[r.profile], r.same) {
				byProfile[r.profile] = append(byProfile[r.profile], r)
			}
			continue
		}
		key := [2]string{r.device, r.profile}
		if i, known := names[key]; known && rows[i].same(r) {
			continue // on several topics
		}
		names[key] = len(rows)
		rows = append(rows, r)
	}
	for _, dev := range d.heard() {
		key := [2]string{dev.Name, dev.Profile}
		if _, known := names[key]; known {
			continue // by other tags
		}
		names[key] = len(rows)
		for _, r := range byProfile[dev.Profile] {
			rows = append(rows, toldRow{device: dev.Name, profile: dev.Profile, toldProfile: r.toldProfile})
		}
	}
	return rows
}

// same reports whether the devices of two rows can be told the same: a row may say
// a part of its profile itself.
func (r toldRow) same(o toldRow) bool { return reflect.DeepEqual(r.toldProfile, o.toldProfile) }

// heard returns the devices that the driver heard, by name.
func (d *driver) heard() []*protocol.Device {
	l, listens := d.driver.(drivers.Listener)
	if !listens || len(d.rows) == 0 {
		return nil
	}
	heard := l.Heard()
	slices.SortFunc(heard, func(a, b *protocol.Device) int { return strings.Compare(a.Name, b.Name) })
	return heard
}

// toldCounts counts what became of the commands of a driver.
type toldCounts struct{ done, unsent, timeout, failed atomic.Uint64 }

func (c *toldCounts) count(outcome string) {
	switch outcome {
	case outcomeDone:
		c.done.Add(1)
	case outcomeUnsent:
		c.unsent.Add(1)
	case outcomeTimeout:
		c.timeout.Add(1)
	default:
		c.failed.Add(1)
	}
}

func (c *toldCounts) all() map[string]uint64 {
	return map[string]uint64{
		outcomeDone: c.done.Load(), outcomeUnsent: c.unsent.Load(), outcomeTimeout: c.timeout.Load(), outcomeFailed: c.failed.Load(),
	}
}

// The outcomes of a command.
const (
	outcomeDone    = "done"
	outcomeUnsent  = "unsent"
	outcomeTimeout = "timeout"
	outcomeFailed  = "failed"
)

// outcomeOfCommand says what became of a command. late: its time was over.
func outcomeOfCommand(err error, late bool) string {
	switch {
	case err == nil:
		return outcomeDone
	case errors.Is(err, drivers.ErrUnsent):
		return outcomeUnsent
	case late:
		return outcomeTimeout
	}
	return outcomeFailed
}
