package payload

import (
	"slices"
	"strings"

	"sluice/protocol"
)

// What is remembered of devices that messages name themselves, in bytes, and
// what one of them and a tag cost beside their text. Senders that invent devices
// make it start over.
const (
	keptIdentities = 8 << 20
	identityCost   = 256
	tagCost        = 64
)

// identities joins the device that a topic or a port names with what a message
// says about its device, so that the same two always give the same pointer.
type identities struct {
	known map[identity]*protocol.Device
	kept  int // bytes, roughly
}

type identity struct{ configured, said *protocol.Device }

func newIdentities() identities { return identities{known: map[identity]*protocol.Device{}} }

// of returns configured as it is when the message says nothing. Otherwise what
// the message says goes before: its name, and its tags where both have one.
func (d *identities) of(configured, said *protocol.Device) *protocol.Device {
	if said == nil {
		return configured
	}
	key := identity{configured, said}
	if known := d.known[key]; known != nil {
		return known
	}
	if d.kept > keptIdentities {
		clear(d.known)
		d.kept = 0
	}
	joined := *configured
	if said.Name != "" {
		joined.Name = said.Name
	}
	joined.Tags = joinTags(configured.Tags, said.Tags)
	d.known[key] = &joined
	d.kept += sizeOf(&joined)
	return &joined
}

// sizeOf returns how many bytes a device takes that a message has named, with
// what the message said.
func sizeOf(device *protocol.Device) int {
	size := identityCost + len(device.Name)
	for _, t := range device.Tags {
		size += tagCost + len(t.Key) + len(t.Value)
	}
	return size
}

// joinTags returns the tags of both, sorted by key, those of said where a key
// is in both.
func joinTags(configured, said []protocol.Tag) []protocol.Tag {
	joined := slices.Clone(said)
	for _, t := range configured {
		if !slices.ContainsFunc(said, func(s protocol.Tag) bool { return s.Key == t.Key }) {
			joined = append(joined, t)
		}
	}
	slices.SortFunc(joined, func(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) })
	return joined
}
