package mqtt

import (
	"fmt"
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"sluice/protocol"
	"sluice/protocol/payload"
)

const (
	maxRoutes      = 1 << 16 // topics and devices remembered; more are worked out anew
	maxCachedTopic = 512     // bytes; longer topics are not remembered
)

// route is where the messages of one topic belong.
type route struct {
	device  *protocol.Device // nil when the topic fits no device
	metric  string           // from the topic, "" when it names none
	decoder payload.Decoder
	replier payload.Replier // the decoder, nil when it has nothing to reply
	reason  string          // why there is no device
	last    uint64          // hash of the topic's last message that was accepted
	seen    bool            // last is valid
	told    []string        // reasons of the rejections that were logged, a few words
}

// name returns the device's name, "" when there is none.
func (r *route) name() string {
	if r.device == nil {
		return ""
	}
	return r.device.Name
}

// row is a Device ready for use.
type row struct {
	Device
	pattern  Pattern
	decoder  payload.Decoder
	reports  *protocol.Reports // of the profile, the same in all its rows
	commands map[string]*command
}

// routes finds the route of a topic. Where nothing else is said it is used by
// one goroutine at a time.
type routes struct {
	driver  string
	rows    []row
	topics  *simplelru.LRU[string, *route]
	devices *simplelru.LRU[string, *protocol.Device] // by identity
	heard   *lru.Cache[heardAs, *protocol.Device]    // of rows with commands; safe for concurrent use
}

// heardAs is a device of a row. One that moved to other tags is where it was
// heard last.
type heardAs struct {
	row  int
	name string
}

func newRoutes(driver string, devices []Device) (*routes, error) {
	rs := &routes{driver: driver}
	reports := map[*payload.Profile]*protocol.Reports{}
	for i, d := range devices {
		var problem error
		d.Validate(func(field, text string) {
			if problem == nil {
				problem = fmt.Errorf("use device %d of driver %s: %s %s", i+1, driver, field, text)
			}
		})
		if problem != nil {
			return nil, problem
		}
		if d.Decode == nil {
			return nil, fmt.Errorf("use device %d of driver %s: profile %q says no way to decode", i+1, driver, d.Profile)
		}
		decoder, err := payload.New(*d.Decode)
		if err != nil {
			return nil, fmt.Errorf("use profile %q: %w", d.Profile, err)
		}
		pattern, _ := ParsePattern(d.Topic)
		if _, known := reports[d.Decode]; !known {
			reports[d.Decode] = d.Decode.Reports()
		}
		rs.rows = append(rs.rows, row{d, pattern, decoder, reports[d.Decode], newCommands(d.Decode)})
	}
	var err error
	if rs.topics, err = simplelru.NewLRU[string, *route](maxRoutes, nil); err != nil {
		return nil, err
	}
	if rs.devices, err = simplelru.NewLRU[string, *protocol.Device](maxRoutes, nil); err != nil {
		return nil, err
	}
	rs.heard, err = lru.New[heardAs, *protocol.Device](maxRoutes)
	return rs, err
}

// filters returns the topic filters to subscribe to, sorted, each once.
func (rs *routes) filters() []string {
	var filters []string
	for i := range rs.rows {
		filters = append(filters, rs.rows[i].pattern.Filter())
	}
	slices.Sort(filters)
	return slices.Compact(filters)
}

// find returns the route of topic, never nil.
func (rs *routes) find(topic string) *route {
	if r, ok := rs.topics.Get(topic); ok {
		return r
	}
	r := rs.resolve(topic)
	if len(topic) <= maxCachedTopic {
		rs.topics.Add(topic, r)
	}
	return r
}

func (rs *routes) resolve(topic string) *route {
	if !legalText(topic) {
		return &route{reason: "topic"}
	}
	for i := range rs.rows {
		w := &rs.rows[i]
		if captured, ok := w.pattern.Match(topic); ok {
			r := rs.bind(w, captured)
			if len(w.commands) > 0 && r.device != nil && r.device.Name != "" {
				rs.heard.Add(heardAs{i, r.device.Name}, r.device)
			}
			return r
		}
	}
	return &route{reason: "topic"}
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
