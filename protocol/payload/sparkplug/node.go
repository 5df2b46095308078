package sparkplug

import (
	"strings"
	"time"

	"sluice/protocol"
)

// bdSeq is the metric that pairs the death of a node with its birth.
const bdSeq = "bdSeq"

// nodeKey names an edge node.
type nodeKey struct{ group, node string }

// node is an edge node and its session.
type node struct {
	key     nodeKey
	self    *source
	devices map[string]*source
	order   []*source // of devices
	known   int       // metrics of all of them
	counted int       // of these, known to the decoder

	bdSeq    uint64 // of the last birth
	hasBdSeq bool
	sequence sequence
	missed   bool // messages of this session are missing, a birth may be among them

	asked protocol.Timestamp // when a rebirth was requested last, 0: never
	wait  time.Duration      // least time to the next request

	newer, older *node // of all nodes, by when they were heard
}

func newNode(key nodeKey) *node {
	key = nodeKey{strings.Clone(key.group), strings.Clone(key.node)}
	n := &node{key: key, devices: map[string]*source{}}
	n.self = newSource(identify(key, ""), false, &n.known)
	return n
}

// identify returns the identity of a device, or of the node itself when device
// is "". Its tags are as a site is divided: group and node. The device's own
// name, which is not unique, goes into the tag edge_device, since device is what
// every sink calls the whole name.
func identify(key nodeKey, device string) *protocol.Device {
	d := &protocol.Device{Name: key.group + "/" + key.node}
	if device != "" {
		d.Name += "/" + device
		d.Tags = append(d.Tags, protocol.Tag{Key: "edge_device", Value: device})
	}
	d.Tags = append(d.Tags, protocol.Tag{Key: "group", Value: key.group}, protocol.Tag{Key: "node", Value: key.node})
	return d
}

// source returns the device of that name, the node itself for "".
func (n *node) source(device string) (*source, *protocol.Refusal) {
	if device == "" {
		return n.self, nil
	}
	if s := n.devices[device]; s != nil {
		return s, nil
	}
	if len(n.devices) == maxDevices {
		return nil, protocol.Refuse("size", "node %s has more than %d devices", n.self.identity.Name, maxDevices)
	}
	device = strings.Clone(device)
	s := newSource(identify(n.key, device), true, &n.known)
	s.state = n.self.state
	if s.state == born {
		s.state = unborn
	}
	n.devices[device] = s
	n.order = append(n.order, s)
	return s, nil
}

// doubt makes the node and its devices unborn.
func (n *node) doubt() {
	n.self.doubt()
	for _, s := range n.order {
		s.doubt()
	}
}

// begin starts a session: devices are to be born anew. When no more could be
// born, those of earlier sessions are forgotten.
func (n *node) begin(m *message, hash uint64) {
	if len(n.order) == maxDevices {
		for _, s := range n.order {
			s.clear()
		}
		clear(n.devices)
		n.order = nil
	}
	for _, s := range n.order {
		s.doubt()
	}
	n.hasBdSeq, n.missed = false, false
	n.sequence.start(uint8(m.seq), hash)
}

// end ends the session and appends what is stale. The payload's time is not
// that of the death: a will is written when the node connects.
func (n *node) end(b *protocol.Batch) {
	n.sequence.on = false
	for _, s := range n.order {
		s.state = dead
	}
	n.self.state = dead
	n.self.stale(b, 0)
	for _, s := range n.order {
		s.stale(b, 0)
	}
}
