package report

import (
	"reflect"
	"slices"

	"sluice/protocol"
)

// class is the devices with the same rules.
type class struct {
	reports *protocol.Reports // not nil
	awake   list              // in the order in which they were heard
	quiet   list              // silent ones
}

// classOf returns the class of devices with these rules.
func (d *Desk) classOf(reports *protocol.Reports) *class {
	if reports == nil {
		return d.classes[0]
	}
	for _, c := range d.classes {
		if c.reports == reports || reflect.DeepEqual(c.reports, reports) {
			return c
		}
	}
	plain := d.classes[0]
	d.classes = slices.DeleteFunc(d.classes, func(c *class) bool { // of rules that nobody has any more
		return c != plain && c.awake.first == nil && c.quiet.first == nil
	})
	c := &class{reports: reports}
	d.classes = append(d.classes, c)
	return c
}

// move gives a device other rules: what is held of it goes out, and its next reading
// is reported.
func (d *Desk) move(v *device, to *class) {
	if v.class == to {
		return
	}
	for len(v.held) > 0 {
		d.hurry(v)
	}
	v.metrics = nil
	v.list().remove(v)
	if v.state == Silent {
		d.turn(v, Live)
	}
	v.class, v.heard = to, d.now
	to.awake.push(v)
}
