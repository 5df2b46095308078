package mqtt

import (
	"fmt"
	"slices"
	"strings"

	"sluice/drivers"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// addressee is a device that is told something.
type addressee struct {
	command *command
	device  *protocol.Device
	heard   bool // a message of it has come, so that its tags are complete
}

// addressee returns the device of that name that has a command: one that was
// heard, otherwise one that a row names, otherwise one that a row may have. It is
// safe for concurrent use.
func (rs *routes) addressee(name, command string) (addressee, error) {
	if name == "" {
		return addressee{}, fmt.Errorf("%w: a device has a name", drivers.ErrUnknown)
	}
	var named, possible *addressee
	known := false
	t := rs.table.Load()
	for i := range t.rows {
		w := &t.rows[i]
		device, heard := t.heard.Get(heardAs{i, name})
		if !heard && w.Name != name && !w.admits(name) {
			continue
		}
		known = true
		c := w.commands[command]
		switch {
		case c == nil:
		case heard:
			return addressee{c, device, true}, nil
		case w.Name == name && named == nil:
			named = &addressee{command: c, device: &protocol.Device{Name: name, Tags: w.Tags}}
		case w.Name == "" && possible == nil:
			possible = &addressee{command: c, device: &protocol.Device{Name: name, Tags: w.Tags}}
		}
	}
	switch {
	case named != nil:
		return *named, nil
	case possible != nil:
		return *possible, nil
	case known:
		return addressee{}, fmt.Errorf("%w: device %s has no %s", drivers.ErrUnknown, name, command)
	}
	return addressee{}, fmt.Errorf("%w: device %s", drivers.ErrUnknown, name)
}

// admits reports whether the devices that the topic, or its messages, name may
// have one called that.
func (w *row) admits(name string) bool {
	if w.Name != "" || !legalText(name) {
		return false
	}
	i := slices.IndexFunc(w.pattern.levels, func(l level) bool { return l.text == captureDevice && l.kind != literal })
	switch {
	case i < 0:
		return w.namesDevices()
	case w.pattern.levels[i].kind == one && strings.Contains(name, "/"):
		return false
	}
	return !strings.ContainsAny(name, "+#")
}

// lacks returns a name in the command's templates that stands for nothing, ""
// when there is none.
func (a addressee) lacks() string {
	for _, name := range slices.Concat(a.command.topic.Names(), a.command.text.Names()) {
		if name != payload.ValueName && name != payload.DeviceName && !slices.ContainsFunc(a.device.Tags, tagNamed(name)) {
			return name
		}
	}
	return ""
}

func tagNamed(key string) func(protocol.Tag) bool {
	return func(t protocol.Tag) bool { return t.Key == key }
}

// value returns what a name in the command's templates stands for.
func (a addressee) value(name string, sent protocol.Value) protocol.Value {
	switch name {
	case payload.ValueName:
		return sent
	case payload.DeviceName:
		return protocol.String(a.device.Name)
	}
	return protocol.String(a.device.Tags[slices.IndexFunc(a.device.Tags, tagNamed(name))].Value)
}

// publishable reports whether a message can be sent to topic.
func publishable(topic string) bool {
	return topic != "" && len(topic) <= 65535 && legalText(topic) && !strings.ContainsAny(topic, "+#")
}

// Heard returns the devices whose topics were met since the driver was made or their row changed, the
// latest maxRoutes of them. It implements drivers.Listener.
func (d *Driver) Heard() []*protocol.Device { return d.routes.table.Load().heard.Values() }
