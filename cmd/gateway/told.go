package main

import (
	"errors"
	"fmt"
	"maps"
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
func toldRows(f *config.File, d config.Driver) (rows []toldRow) {
	add := func(r toldRow) {
		if p := f.Profiles[r.profile]; p != nil && len(p.Commands) > 0 {
			r.toldProfile = p.Commands
			rows = append(rows, r)
		}
	}
	for _, dev := range d.ModbusDevices { // a row of the list may be several
		add(toldRow{device: dev.Name, profile: dev.Profile})
	}
	for _, dev := range f.Devices {
		if dev.Driver == d.Name && d.Modbus == nil {
			add(toldRow{device: dev.Name, topic: dev.Topic, profile: dev.Profile})
		}
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
	byProfile, names := map[string]toldProfile{}, map[[2]string]bool{}
	var rows []toldRow
	add := func(r toldRow) {
		if key := [2]string{r.device, r.profile}; r.device != "" && !names[key] {
			names[key] = true
			rows = append(rows, r)
		}
	}
	for _, r := range d.rows {
		byProfile[r.profile] = r.toldProfile
		add(r)
	}
	if l, ok := d.driver.(drivers.Listener); ok && len(d.rows) > 0 {
		heard := l.Heard()
		slices.SortFunc(heard, func(a, b *protocol.Device) int { return strings.Compare(a.Name, b.Name) })
		for _, dev := range heard {
			if commands := byProfile[dev.Profile]; commands != nil {
				add(toldRow{device: dev.Name, profile: dev.Profile, toldProfile: commands})
			}
		}
	}
	return rows
}

// match is a driver that has a command for a device.
type match struct {
	driver  *driver
	command payload.Command
}

// recipient returns the driver that is to tell a device, and the command. Errors
// are mistakes of whoever called.
func (g *gateway) recipient(o *tellOrder) (match, error) {
	among, err := g.among(o.Driver)
	if err != nil {
		return match{}, usageError{err}
	}
	var matches []match
	var names, commands []string
	var owners []*driver // that know the device
	for _, d := range among {
		for _, r := range d.known() {
			names = append(names, r.device)
			if r.device != o.Device {
				continue
			}
			commands = slices.AppendSeq(commands, maps.Keys(r.toldProfile))
			owners = append(owners, d)
			matches = add(matches, d, r, o.Command)
		}
	}
	if len(matches) == 0 { // a device that was not heard yet
		if len(owners) > 0 {
			among = owners
		}
		for _, d := range among {
			for _, r := range d.rows {
				if r.device == "" {
					matches = add(matches, d, r, o.Command)
				}
			}
		}
	}
	switch {
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return match{}, usageError{fmt.Errorf("drivers %s and %s have a device %q: say which with --driver", matches[0].driver.name, matches[1].driver.name, o.Device)}
	case len(owners) > 0:
		return match{}, usageError{fmt.Errorf("device %s has no command %q%s", o.Device, o.Command, suggest(o.Command, commands))}
	}
	return match{}, usageError{fmt.Errorf("no device is called %q%s", o.Device, suggest(o.Device, names))}
}

// add adds a driver once, when the row has the command.
func add(matches []match, d *driver, r toldRow, command string) []match {
	c, has := r.toldProfile[command]
	if !has || slices.ContainsFunc(matches, func(m match) bool { return m.driver == d }) {
		return matches
	}
	return append(matches, match{d, c})
}

// among returns the driver of that name, or all.
func (g *gateway) among(name string) ([]*driver, error) {
	var all, named []*driver
	var names []string
	for i := range g.drivers {
		d := &g.drivers[i]
		names, all = append(names, d.name), append(all, d)
		if d.name == name {
			named = append(named, d)
		}
	}
	switch {
	case name == "":
		return all, nil
	case len(named) == 0:
		return nil, fmt.Errorf("no driver is called %q%s", name, suggest(name, names))
	}
	return named, nil
}

// suggest names the words that word may mean, or all if they are few.
func suggest(word string, known []string) string {
	const few = 8
	slices.Sort(known)
	known = slices.Compact(known)
	hint := config.Suggest(word, known)
	switch {
	case hint != "":
		return hint
	case len(known) == 0:
		return ": there is none that can be told anything"
	case len(known) <= few:
		return ": there is " + strings.Join(known, ", ")
	}
	return ": gateway send --list shows them"
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
