package sparkplug

import (
	"strings"
	"unicode/utf8"

	"sluice/protocol"
)

// The limits of a decoder and of a message. Of what is beyond those of a node,
// messages are refused with the reason "size"; the least recently heard node
// makes room for a new one.
const (
	maxMessage = 1 << 20 // bytes
	maxMetrics = 4096    // in a message, and known of a node or device
	maxName    = 256     // bytes in a metric's name, also one that was put together
	maxDepth   = 16      // templates in templates
	maxNodes   = 4096
	maxDevices = 1024    // of a node
	maxOfNode  = 1 << 16 // metrics known of a node and its devices
	maxKnown   = 1 << 17 // metrics known of all nodes
	maxHosts   = 256
	keptText   = 256  // bytes of a text that is kept to be found again
	keptName   = 4096 // bytes of room for names
)

// state is what is known of a node or device.
type state uint8

const (
	unborn state = iota // its birth was not heard, or may have been missed
	born
	dead
)

// source is an edge node or one of its devices: what its birth said.
type source struct {
	identity *protocol.Device
	state    state
	device   bool
	aliases  map[uint64]*metric // nil for one that stands for several
	names    map[string]*metric
	order    []*metric // the same, in the order of first appearance
	known    *int      // metrics of all sources of the node
}

// metric is a name, what is known of it, and where the message being decoded
// has it.
type metric struct {
	name     string
	datatype DataType
	unit     string
	hidden   bool   // it controls the node and is no measurement
	shown    bool   // readings name it
	text     string // its last text, when it is short

	turn    uint64 // the message that had it last
	reading int    // there: which reading
	at      int    // and which metric of it
}

func newSource(identity *protocol.Device, device bool, known *int) *source {
	return &source{
		identity: identity, device: device, known: known,
		aliases: map[uint64]*metric{}, names: map[string]*metric{},
	}
}

// clear forgets the metrics of s.
func (s *source) clear() {
	*s.known -= len(s.order)
	s.aliases, s.names, s.order = map[uint64]*metric{}, map[string]*metric{}, nil
}

// full reports whether s can keep no more.
func (s *source) full() bool {
	return len(s.order) >= maxMetrics || *s.known >= maxOfNode
}

// doubt makes s unborn: a birth was missed, and what its aliases stand for is
// not known any more.
func (s *source) doubt() {
	s.state = unborn
	clear(s.aliases)
}

// learn returns the metric of a name. One that is new is not kept once s is
// full.
func (s *source) learn(name []byte) (*metric, *protocol.Refusal) {
	if m := s.names[string(name)]; m != nil {
		return m, nil
	}
	switch {
	case len(name) > maxName:
		return nil, protocol.Refuse("size", "name of %d bytes, want at most %d: %.24q", len(name), maxName, name)
	case !utf8.Valid(name):
		return nil, protocol.Refuse("utf8", "name %.24q is not UTF-8", name)
	}
	m := &metric{name: string(name)}
	m.hidden = strings.HasPrefix(m.name, "Node Control/") || strings.HasPrefix(m.name, "Device Control/") ||
		m.name == bdSeq && !s.device
	if !s.full() {
		s.names[m.name] = m
		s.order = append(s.order, m)
		*s.known++
	}
	return m, nil
}

// alias lets n stand for m and reports whether there was room. One that stands
// for two names stands for none.
func (s *source) alias(n uint64, m *metric) bool {
	known, taken := s.aliases[n]
	if taken && known != m {
		m = nil
	}
	s.aliases[n] = m
	return taken || len(s.aliases) <= maxMetrics
}

// stale appends readings which say that no value of s holds any more.
func (s *source) stale(b *protocol.Batch, at protocol.Timestamp) {
	var r *protocol.Reading
	for _, m := range s.order {
		if !m.shown {
			continue
		}
		if r == nil {
			r = b.Add()
			r.Device, r.SourceTime = s.identity, at
		}
		r.Metrics = append(r.Metrics, protocol.Metric{Name: m.name, Unit: m.unit, Quality: protocol.Bad})
	}
}
