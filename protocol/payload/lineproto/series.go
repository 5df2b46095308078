package lineproto

import (
	"slices"
	"strings"

	"sluice/protocol"
)

// series is what lines with the same measurement and tags share.
type series struct {
	device *protocol.Device // nil when it has neither name nor tags
	prefix string           // in front of its metrics' names
	known  map[string]*name // of its fields, by their bytes; shared by all with this prefix
}

// name is a metric's name.
type name struct {
	text string
	used uint64 // the line that used it last
}

// table remembers the series that lines belong to, by their bytes, and the names
// of their fields, so that reading on in a series allocates nothing.
type table struct {
	config Config
	series map[string]*series
	names  map[string]map[string]*name // by prefix and bytes
	kept   int                         // bytes, roughly
}

// What a table may keep between messages, and what an entry costs beside its
// text. Senders that invent series make it start over.
const (
	maxKept   = 8 << 20
	entryCost = 256
)

func newTable(c Config) table {
	return table{config: c, series: map[string]*series{}, names: map[string]map[string]*name{}}
}

// again begins a message.
func (t *table) again() {
	if t.kept > maxKept {
		clear(t.series)
		clear(t.names)
		t.kept = 0
	}
}

// add remembers a new series. Its tags are sorted, and no key is there twice.
func (t *table) add(raw []byte, measurement string, tags []protocol.Tag) *series {
	t.kept += 2*len(raw) + entryCost*(1+len(tags))
	s := &series{}
	if t.config.Measurement == asPrefix {
		s.prefix = measurement + "_"
	}
	if s.known = t.names[s.prefix]; s.known == nil {
		s.known = map[string]*name{}
		t.names[s.prefix] = s.known
	}
	s.device = t.device(measurement, tags)
	t.series[string(raw)] = s
	return s
}

func (t *table) device(measurement string, tags []protocol.Tag) *protocol.Device {
	device := &protocol.Device{}
	if i := slices.IndexFunc(tags, func(tag protocol.Tag) bool { return tag.Key == t.config.Device }); i >= 0 {
		device.Name = tags[i].Value
		tags = slices.Delete(tags, i, i+1)
	}
	for _, word := range reserved {
		giveWay(tags, word)
	}
	if t.config.Measurement == asTag {
		tags = withMeasurement(tags, measurement)
	}
	slices.SortFunc(tags, byKey)
	if device.Tags = tags; device.Name == "" && len(tags) == 0 {
		return nil
	}
	return device
}

// reserved are tags that sinks write themselves: one of the same name that came
// in would be lost there, and with it what tells two series apart.
var reserved = [...]string{"device", "driver", "gateway", "profile", "metric"}

// withMeasurement adds the tag "measurement".
func withMeasurement(tags []protocol.Tag, measurement string) []protocol.Tag {
	giveWay(tags, "measurement")
	return append(tags, protocol.Tag{Key: "measurement", Value: measurement})
}

// giveWay gives a tag called key a trailing underscore, and one that was called
// so another. Tags are sorted.
func giveWay(tags []protocol.Tag, key string) {
	for i := range tags {
		if tags[i].Key == key {
			key += "_"
			tags[i].Key = key
		}
	}
}

func byKey(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) }

// name remembers a new field of s.
func (t *table) name(s *series, raw []byte, key string) *name {
	n := &name{text: s.prefix + key}
	s.known[string(raw)] = n
	t.kept += 2*len(raw) + len(s.prefix) + entryCost
	return n
}
