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
	if t.config.Measurement == asTag {
		tags = withMeasurement(tags, measurement)
	}
	if device.Tags = tags; device.Name == "" && len(tags) == 0 {
		return nil
	}
	return device
}

// withMeasurement adds the tag "measurement". A tag of the line that is called so
// gets a trailing underscore.
func withMeasurement(tags []protocol.Tag, measurement string) []protocol.Tag {
	key := "measurement"
	for i := range tags {
		if tags[i].Key == key {
			key += "_"
			tags[i].Key = key
		}
	}
	tags = append(tags, protocol.Tag{Key: "measurement", Value: measurement})
	slices.SortFunc(tags, byKey)
	return tags
}

func byKey(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) }

// name remembers a new field of s.
func (t *table) name(s *series, raw []byte, key string) *name {
	n := &name{text: s.prefix + key}
	s.known[string(raw)] = n
	t.kept += 2*len(raw) + len(s.prefix) + entryCost
	return n
}
