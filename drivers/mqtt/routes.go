package mqtt

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"sluice/protocol"
	"sluice/protocol/payload"
)

const (
	maxRoutes      = 1 << 16 // topics and devices remembered; more are worked out anew
	maxCachedTopic = 512     // bytes; longer topics are not remembered
)

// reasonMax is why there is no device when its row has as many as it may.
const reasonMax = "max_devices"

// route is where the messages of one topic belong.
type route struct {
	of      *table           // that it was worked out from
	device  *protocol.Device // nil when the topic fits no device
	metric  string           // from the topic, "" when it names none
	decoder payload.Decoder
	replier payload.Replier // the decoder, nil when it has nothing to reply
	reason  string          // why there is no device
	last    uint64          // hash of the topic's last message that was accepted
	seen    bool            // last is valid
	away    string          // the device that was turned away
	row     *row            // by this row; nil: none was
	told    []string        // reasons of the rejections that were logged, a few words
}

// name returns the device's name, "" when there is none.
func (r *route) name() string {
	if r.device == nil {
		return ""
	}
	return r.device.Name
}

// routes finds the route of a topic. Where nothing else is said it is used by
// one goroutine at a time.
type routes struct {
	driver  string
	table   atomic.Pointer[table] // replaced by Update
	topics  *simplelru.LRU[string, *route]
	devices *simplelru.LRU[string, *protocol.Device] // by identity
}

func newRoutes(driver string, devices []Device) (*routes, error) {
	rs := &routes{driver: driver}
	t, err := newTable(driver, devices, nil)
	if err != nil {
		return nil, err
	}
	rs.table.Store(t)
	if rs.topics, err = simplelru.NewLRU[string, *route](maxRoutes, nil); err != nil {
		return nil, err
	}
	rs.devices, err = simplelru.NewLRU[string, *protocol.Device](maxRoutes, nil)
	return rs, err
}

// find returns the route of topic, never nil.
func (rs *routes) find(topic string) *route {
	t := rs.table.Load()
	known, ok := rs.topics.Get(topic)
	if ok && known.of == t {
		return known
	}
	r := rs.resolve(t, topic)
	r.of = t
	if ok { // what the topic said last is the same with other devices
		r.last, r.seen = known.last, known.seen
	}
	if len(topic) <= maxCachedTopic {
		rs.topics.Add(topic, r)
	}
	return r
}

func (rs *routes) resolve(t *table, topic string) *route {
	if !legalText(topic) {
		return &route{reason: "topic"}
	}
	at, captured, ok := t.find(topic)
	if !ok {
		return &route{reason: "topic"}
	}
	w := &t.rows[at]
	r := rs.bind(w, captured)
	if w.admitted != nil && r.device != nil && !w.admitted.admit(r.device.Name, w.Max) {
		return &route{reason: reasonMax, away: r.device.Name, row: w}
	}
	if len(w.commands) > 0 && r.device != nil && r.device.Name != "" {
		t.heard.Add(heardAs{at, r.device.Name}, r.device)
	}
	return r
}

// bind makes the route of a topic that fits w.
func (rs *routes) bind(w *row, captured []string) *route {
	r := &route{decoder: w.decoder}
	r.replier, _ = w.decoder.(payload.Replier)
	device := protocol.Device{Name: w.Name, Profile: w.Profile, Driver: rs.driver, Tags: slices.Clone(w.Tags), Reports: w.reports}
	for i, name := range w.pattern.Captures() {
		switch name {
		case captureDevice:
			device.Name = captured[i]
		case captureMetric:
			r.metric = captured[i]
		default:
			device.Tags = append(device.Tags, protocol.Tag{Key: name, Value: captured[i]})
		}
	}
	if device.Name == "" && !w.namesDevices() {
		return &route{reason: "device"}
	}
	slices.SortFunc(device.Tags, func(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) })
	r.device = rs.intern(device)
	return r
}

// intern returns the one pointer that stands for device.
func (rs *routes) intern(device protocol.Device) *protocol.Device {
	var key strings.Builder // NUL stands in no name: topics with one are refused
	key.WriteString(device.Name + "\x00" + device.Profile)
	for _, t := range device.Tags {
		key.WriteString("\x00" + t.Key + "\x00" + t.Value)
	}
	if known, ok := rs.devices.Get(key.String()); ok && known.Reports == device.Reports {
		return known
	}
	rs.devices.Add(key.String(), &device)
	return &device
}
