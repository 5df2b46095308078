package mqtt

import (
	"fmt"
	"slices"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Device is one row of the operator's device list: the topics of one or many
// devices of one model.
type Device struct {
	Topic    string // pattern, such as plant/{area}/{device}/climate
	Name     string // device name when neither the topic captures {device} nor the messages name it
	Profile  string // the profile's name
	Decode   *payload.Profile
	Tags     []protocol.Tag // beside the tags that the topic captures
	Presence *Presence      // the messages say whether the devices are there; nil: they hold readings
	Max      int            // of the devices that the topic captures, those heard first; 0: any number
}

// The captures with a meaning of their own; every other one becomes a tag.
const (
	captureDevice = "device"
	captureMetric = "metric"
)

// reserved are words that templates use for other things.
var reserved = [...]string{"gateway", "driver", "profile"}

// namesDevices reports whether the messages name their devices themselves.
func (d Device) namesDevices() bool { return d.Decode != nil && d.Decode.Decode.NamesDevices() }

// Validate reports what is wrong with where d is: its topic, name and tags.
func (d Device) Validate(report func(field, problem string)) {
	pattern, err := ParsePattern(d.Topic)
	if err != nil {
		if d.Topic != "" {
			report("topic", fmt.Sprintf("%q %v", d.Topic, err))
			return
		}
		report("topic", "is required, such as plant/{area}/{device}/climate")
		return
	}
	captures := pattern.Captures()
	for _, word := range reserved {
		if slices.Contains(captures, word) {
			report("topic", fmt.Sprintf("%q captures {%s}: the word has a meaning of its own, use another", d.Topic, word))
		}
	}
	if d.Presence != nil {
		d.Presence.validate(report)
	}
	named := slices.Contains(captures, captureDevice)
	switch {
	case d.Max < 0:
		report("max", fmt.Sprintf("is %d, want a number of devices", d.Max))
	case d.Max > 0 && !named:
		report("max", fmt.Sprintf("is of use with a topic that captures {device}, which %q does not", d.Topic))
	}
	if d.Name == "" && !named && !d.namesDevices() {
		report("device", fmt.Sprintf("is required: the topic %q captures no {device}", d.Topic))
	}
	if d.Name != "" && named {
		report("device", fmt.Sprintf("is %q, but the topic %q captures {device}: want one of them", d.Name, d.Topic))
	}
	for _, t := range d.Tags {
		if slices.Contains(captures, t.Key) {
			report("tags."+t.Key, fmt.Sprintf("is captured by the topic %q too: want one of them", d.Topic))
		}
	}
}

// Fixed reports whether d is one device whose identity the topic adds nothing to.
func (d Device) Fixed() bool {
	pattern, err := ParsePattern(d.Topic)
	return err == nil && d.Name != "" && !d.namesDevices() &&
		!slices.ContainsFunc(pattern.Captures(), func(name string) bool { return name != captureMetric })
}
