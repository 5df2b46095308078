// Package sparkplug reads and writes Sparkplug B (specification 3.0): the
// payloads and topics by which edge nodes publish their own and their devices'
// metrics over MQTT.
//
// A Decoder is what the specification calls a host application: it learns from
// births what aliases stand for, follows the numbers of the messages, tells what
// is stale after a death, and has the node asked for a rebirth when something
// was missed. An Edge is the other end.
package sparkplug

import (
	"hash/maphash"
	"math"
	"time"

	"sluice/protocol"
)

// Decoder turns the messages of edge nodes into readings. It is owned by one
// goroutine.
//
// The readings are of devices named GROUP/NODE or GROUP/NODE/DEVICE, with the
// tags group, node and edge_device, or of a host. The metrics are named as the
// births name them; an array's elements are NAME_0, NAME_1, …, those of a data
// set NAME_ROW_COLUMN, and the members of a template NAME_MEMBER, without its
// parameters and definitions. Left out are metrics without a value, bdSeq, and
// what begins with "Node Control/" or "Device Control/", which are switches and
// no measurements. A DateTime is an int in ms since 1970 with the unit "ms":
// exact, and a number that sinks can compute with.
//
// A message with metrics of several times, or with historical ones, gives
// several readings. Of two values that a message holds for one name and time the
// last one counts, for the specification wants them in the order of time.
//
// A gap in the numbers means that messages were lost, since a broker keeps the
// order. What comes after it is decoded with the aliases that are known, and a
// rebirth is asked for. When an alias is then unknown or used for another type, a
// birth is among the lost messages, and the aliases count no more: messages that
// need them are refused with the reason "sequence". So are all after a death and
// before the next birth. A node that was never heard being born is decoded as far
// as its metrics state their names and types.
type Decoder struct {
	rebirth time.Duration // negative: never ask
	nodes   nodes
	hosts   map[string]*protocol.Device
	seed    maphash.Seed
	gaps    uint64

	asking *node // whose rebirth Reply is to request
	at     protocol.Timestamp

	// Of the message being decoded.
	turn    uint64
	batch   *protocol.Batch
	first   int // its first reading
	current int // the reading of the latest metric
	found   int // metrics in it
	count   int // metrics in its readings
	source  *source
	node    *node
	time    uint64 // of the payload, ms since 1970
	name    []byte // being put together
	depth   int    // of templates
	table   table
}

// New returns a Decoder that has heard nothing yet. Zero settings mean the
// default.
func New(cfg Config) *Decoder {
	if cfg.Rebirth == 0 {
		cfg.Rebirth = defaultRebirth
	}
	return &Decoder{
		rebirth: time.Duration(cfg.Rebirth),
		nodes:   nodes{byKey: map[nodeKey]*node{}},
		hosts:   map[string]*protocol.Device{},
		seed:    maphash.MakeSeed(),
	}
}

// Gaps returns how often messages were missing before one that was decoded or
// refused.
func (d *Decoder) Gaps() uint64 { return d.gaps }

// Decode appends the readings of a message that was received at a time, which
// it uses for nothing but the pace of rebirth requests. On error b is as it was
// before; the error is a *protocol.Refusal.
func (d *Decoder) Decode(b *protocol.Batch, topic string, message []byte, received protocol.Timestamp) error {
	t, err := ParseTopic(topic)
	switch {
	case err != nil:
		return err
	case len(message) > maxMessage:
		return protocol.Refuse("size", "%d bytes, want at most %d", len(message), maxMessage)
	case t.Kind == HostState:
		return d.host(b, t.Host, message)
	case t.Kind == NodeCommand || t.Kind == DeviceCommand:
		return protocol.Refuse("kind", "%v is a command and holds no reading", t.Kind)
	}
	d.batch, d.first, d.current, d.at = b, len(b.Readings), -1, received
	if err = d.decode(t, message); err != nil {
		b.Readings = b.Readings[:d.first]
	}
	d.batch = nil
	if cap(d.name) > keptName {
		d.name = nil
	}
	return err
}

// Reply returns a command to publish, which asks the node of the last message
// for its rebirth; false: nothing is to be asked. It returns each once.
func (d *Decoder) Reply() (topic string, payload []byte, ok bool) {
	n := d.asking
	if n == nil {
		return "", nil, false
	}
	d.asking = nil
	t := Topic{Kind: NodeCommand, Group: n.key.group, Node: n.key.node}
	return t.String(), AppendRebirth(nil, n.asked), true
}

// maxWait is how many times the configured interval a node is left alone that
// does not come in order by being born again.
const maxWait = 64

// ask has the node of the message asked for its rebirth, unless that was done a
// short while ago.
func (d *Decoder) ask() {
	n := d.node
	since := time.Duration(d.at - n.asked)
	if d.rebirth < 0 || n.asked != 0 && since >= 0 && since < max(n.wait, d.rebirth) {
		return
	}
	n.wait = min(max(2*n.wait, d.rebirth), maxWait*d.rebirth)
	n.asked = max(d.at, 1)
	d.asking = n
}

// decode is Decode for the messages of nodes and devices.
func (d *Decoder) decode(t Topic, payload []byte) error {
	d.turn++
	var m message
	if !m.parse(payload) {
		d.garbled(t)
		return protocol.Refuse("syntax", "the message is no payload of Sparkplug B")
	}
	n := d.nodes.get(nodeKey{t.Group, t.Node})
	d.node, d.time, d.found, d.count, d.depth = n, m.stamp, 0, 0, 0
	hash := maphash.Bytes(d.seed, payload) | 1
	switch {
	case t.Kind == NodeDeath:
		return d.nodeDeath(&m)
	case t.Kind == NodeBirth:
		n.begin(&m, hash)
	case m.hasSeq:
		d.follow(uint8(m.seq), hash)
	}
	s, err := n.source(t.Device)
	if err != nil {
		return err
	}
	d.source = s
	defer d.nodes.weigh()
	switch t.Kind {
	case NodeBirth, DeviceBirth:
		err = d.birth(&m)
	case DeviceDeath:
		err = d.deviceDeath()
	default:
		err = d.data(&m)
	}
	if err != nil {
		return err
	}
	return nil
}

// garbled notes that a birth came which cannot be read.
func (d *Decoder) garbled(t Topic) {
	n := d.nodes.byKey[nodeKey{t.Group, t.Node}]
	switch {
	case n == nil:
	case t.Kind == NodeBirth:
		n.doubt()
	case t.Kind == DeviceBirth && n.devices[t.Device] != nil:
		n.devices[t.Device].doubt()
	}
}

// follow checks the number of a message.
func (d *Decoder) follow(seq uint8, hash uint64) {
	n := d.node
	switch {
	case n.sequence.follow(seq, hash):
		d.gaps++
		n.missed = true
		d.ask()
	case n.self.state == born && !n.missed:
		n.wait = 0 // the latest birth has helped
	}
}

// birth learns what a node or device has and appends its values. One that is
// refused leaves it unborn: nothing it sends is to be taken for what an earlier
// birth said.
func (d *Decoder) birth(m *message) *protocol.Refusal {
	s := d.source
	s.clear()
	s.state = unborn
	err := d.metrics(m, true)
	switch {
	case err != nil:
		s.doubt()
		return err
	case s.device && d.node.self.state != born:
		d.ask() // for what the node itself has to say
	}
	s.state = born
	if len(d.batch.Readings) == d.first {
		return protocol.Refuse("kind", "the birth holds no value")
	}
	return nil
}

// data appends the values of a message of a node or device.
func (d *Decoder) data(m *message) *protocol.Refusal {
	s := d.source
	if s.state != born {
		d.ask()
	}
	if s.state == dead {
		return protocol.Refuse("sequence", "%s is dead and was not born again", s.identity.Name)
	}
	err := d.metrics(m, false)
	if err == nil && len(d.batch.Readings) == d.first {
		return protocol.Refuse("missing", "the message holds no value")
	}
	return err
}

// deviceDeath appends what is stale.
func (d *Decoder) deviceDeath() *protocol.Refusal {
	at, err := timestamp(d.time)
	if err != nil {
		return err
	}
	d.source.state = dead
	d.source.stale(d.batch, at)
	return d.buried()
}

// nodeDeath appends what is stale when the death is that of the session. That
// of an earlier one may come late, when a broker finds out that its connection
// was lost.
func (d *Decoder) nodeDeath(m *message) error {
	n := d.node
	if of, ok := d.pair(m); ok && n.hasBdSeq && of != n.bdSeq {
		return protocol.Refuse("sequence", "the death is that of session %d, the last birth that of %d", of, n.bdSeq)
	}
	n.end(d.batch)
	if err := d.buried(); err != nil {
		return err
	}
	return nil
}

func (d *Decoder) buried() *protocol.Refusal {
	if len(d.batch.Readings) == d.first {
		return protocol.Refuse("kind", "the death is of nothing that is known")
	}
	return nil
}

// pair returns the bdSeq of a death, and false when it has none.
func (d *Decoder) pair(m *message) (uint64, bool) {
	for f := (fields{left: m.src}); f.member(2); {
		var r rawMetric
		if r.parse(f.text) && string(r.name) == bdSeq && (r.value.part == intPart || r.value.part == longPart) {
			return r.value.num, true
		}
	}
	return 0, false
}

// timestamp returns a time on the wire in ms since 1970, 0 meaning none.
func timestamp(ms uint64) (protocol.Timestamp, *protocol.Refusal) {
	if ms > math.MaxInt64/uint64(time.Millisecond) {
		return 0, protocol.Refuse("time", "%d ms since 1970 is out of range", ms)
	}
	return protocol.Timestamp(ms) * protocol.Timestamp(time.Millisecond), nil
}
