package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/protocol/payload"
)

// match is a driver that has a command for a device: mostly one, several where
// rows of the device list differ in it and only the driver knows which one counts.
type match struct {
	driver   *driver
	commands []payload.Command
}

// check returns what is wrong with what the device is to be told for every command
// that there is.
func (m *match) check(o *tellOrder) (problem error) {
	for _, c := range m.commands {
		if problem = c.Check(o.Command, o.Value); problem == nil {
			return nil
		}
	}
	return problem
}

// recipient returns the driver that is to tell a device, and what. Errors are
// mistakes of whoever called.
func (g *gateway) recipient(o *tellOrder) (match, error) {
	among, err := g.among(o.Driver)
	if err != nil {
		return match{}, usageError{err}
	}
	s := search{order: o}
	for _, d := range among {
		s.named(d)
	}
	if len(s.owners) > 0 {
		among = s.owners
	}
	if len(s.matches) == 0 { // a device that was not heard yet
		for _, d := range among {
			s.captured(d)
		}
	}
	return s.result()
}

// search looks for the driver of a device and a command.
type search struct {
	order    *tellOrder
	matches  []match
	owners   []*driver // that know the device
	names    []string  // of all devices
	commands []string  // of the device
}

// named looks at the devices whose names the driver knows.
func (s *search) named(d *driver) {
	for _, r := range d.known() {
		s.names = append(s.names, r.device)
		if r.device == s.order.Device {
			s.commands = slices.AppendSeq(s.commands, maps.Keys(r.toldProfile))
			s.owners = append(s.owners, d)
			s.add(d, r)
		}
	}
}

// captured looks at what the driver's topics may capture.
func (s *search) captured(d *driver) {
	for _, r := range d.rows {
		if r.device == "" {
			s.add(d, r)
		}
	}
}

// add adds a driver, when the row has the command.
func (s *search) add(d *driver, r toldRow) {
	c, has := r.toldProfile[s.order.Command]
	i := slices.IndexFunc(s.matches, func(m match) bool { return m.driver == d })
	switch {
	case !has:
	case i < 0:
		s.matches = append(s.matches, match{d, []payload.Command{c}})
	default:
		s.matches[i].commands = append(s.matches[i].commands, c)
	}
}

func (s *search) result() (match, error) {
	o := s.order
	switch {
	case len(s.matches) == 1:
		return s.matches[0], nil
	case len(s.matches) > 1:
		return match{}, usageError{fmt.Errorf("drivers %s and %s have a device %q: say which with --driver", s.matches[0].driver.name, s.matches[1].driver.name, o.Device)}
	case len(s.owners) > 0:
		return match{}, usageError{fmt.Errorf("device %s has no command %q%s", o.Device, o.Command, suggest(o.Command, s.commands))}
	}
	return match{}, usageError{fmt.Errorf("no device is called %q%s", o.Device, suggest(o.Device, s.names))}
}

// among returns the driver of that name, or all.
func (g *gateway) among(name string) ([]*driver, error) {
	var all, named []*driver
	var names []string
	for _, d := range g.parts() {
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
