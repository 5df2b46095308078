package protocol_test

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// telegraf is the profile that an operator would write for what a case of
// Telegraf's makes of a message by its own configuration. Its points are our
// readings, its tags metrics.
type telegraf struct {
	profile payload.Profile
	names   map[string]string // of the peer: ours; the others are the same
	times   bool              // the peer's times are those of the message
	at      protocol.Timestamp
	input   int
	points  []int // those of this input; nil: all
	merge   bool  // the peer's points are one reading here
	none    bool  // there is no reading
}

func jsonProfile(each string, when *payload.Time, metrics map[string]payload.Metric) payload.Profile {
	return payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{Each: each}}, Time: when, Metrics: metrics}
}

func unixMS(path string) *payload.Time { return &payload.Time{Path: path, Format: "unix_ms"} }

type metricsOf = map[string]payload.Metric

// telegrafs are the profiles, by case. Where the peer's expected time is not that
// of the message, because its own test does not look at it, the time follows from
// the message.
var telegrafs = map[string][]telegraf{
	"fields_and_tags": {{profile: jsonProfile("fields.json", nil, metricsOf{
		"json_duration": {Path: "duration"}, "duration": {Path: "$.fields.duration", Type: "int"}, "status": {Path: "$.fields.status", Type: "string"},
	})}},
	"measurement_name_int": {{profile: jsonProfile("", nil, metricsOf{"label": {}})}},
	"mix_field_and_object": {{profile: jsonProfile("", nil, metricsOf{
		"coord_lat": {Path: "coord.lat"}, "coord_lon": {Path: "coord.lon"}, "description": {Path: "weather.0.description"}, "summary": {Path: "weather.0.main"},
		"main_temp": {Path: "main.temp"}, "wind_speed": {Path: "wind.speed"}, "id": {}, "name": {},
	})}},
	"multiple_timestamps": {{profile: jsonProfile("events", unixMS("time"), nil), at: 1555745371410e6}},
	"nested_objects_optional": {
		{profile: jsonProfile("metrics", unixMS("$.timestamp"), nil), at: 1695679077118e6, points: []int{1, 2, 3, 4}, names: map[string]string{"value_f": "value", "value_s": "value", "value_i": "value", "value_b": "value"}},
		{profile: jsonProfile("", unixMS("timestamp"), nil), at: 1695679022882e6, input: 1, points: []int{0}, names: map[string]string{"value_f": "value"}},
	},
	"nested_tags": {{profile: jsonProfile("$", nil, nil)}},
	"object_fields_with_same_path": {{merge: true, profile: jsonProfile("", nil, metricsOf{
		"production": {Path: "production.eim.wattHoursLifetime"}, "consumption": {Path: "consumption.eim.wattHoursLifetime"},
	})}},
	"object_timestamp": {{profile: jsonProfile("events", &payload.Time{Path: "time", Format: "rfc3339"}, nil), times: true}},
	"optional":         {{profile: jsonProfile("", nil, metricsOf{"wrong": {}}), none: true}, {profile: jsonProfile("wrong", nil, nil), none: true}},
	"subfieldtag_in_object": {{profile: jsonProfile("root.station", nil, metricsOf{
		"etd_estimate_minutes": {Path: "etd.0.estimate.0.minutes", Type: "int"}, "from_station": {Path: "abbr"}, "to_station": {Path: "etd.0.abbreviation"},
		"etd_estimate_direction": {Path: "etd.0.estimate.0.direction"},
	})}},
	"subfieldtag_in_object_2": {{profile: jsonProfile("data", nil, metricsOf{
		"value": {}, "cnt": {Path: "$.cnt", Type: "int"}, "format": {Path: "$.format", Type: "int"},
	}), names: map[string]string{"data": "value"}}},
	"timestamp":         {{profile: jsonProfile("measurements", unixMS("$.time"), nil), at: 1555745371410e6}},
	"timestamp_ns":      {{profile: jsonProfile("test", &payload.Time{Path: "$.timestamp", Format: "unix_ns"}, nil), times: true}},
	"timestamp_rfc3339": {{profile: jsonProfile("", &payload.Time{Path: "when", Format: "rfc3339"}, metricsOf{"f": {}}), times: true}},
	"wrong_path": {
		{profile: jsonProfile("wrong", nil, nil), none: true}, {profile: jsonProfile("correct", nil, metricsOf{"wrong": {}}), none: true},
		{profile: jsonProfile("", nil, metricsOf{"wrong": {}}), none: true}, {profile: jsonProfile("", nil, metricsOf{"correct_wrong": {Path: "correct.wrong"}}), none: true},
	},
	"tg-json-tag-keys-with-underscore-issue-6705": {{profile: jsonProfile("", nil, nil)}},
	"tg-json-time-key-is-deleted-from-fields":     {{profile: jsonProfile("", &payload.Time{Path: "timestamp", Format: "unix"}, nil), times: true}},
	"json_array_expand":                           {{profile: jsonProfile("", &payload.Time{Path: "timestamp", Format: "unix_ns"}, nil), times: true}},
	"json_array_expand_simple_types":              {{profile: jsonProfile("", &payload.Time{Path: "timestamp", Format: "unix"}, nil), times: true}},
	"json_array_simple_types": {{profile: jsonProfile("", &payload.Time{Path: "timestamp", Format: "unix"}, nil), times: true, names: map[string]string{
		"sata_0": "disks_sata_0", "sata_1": "disks_sata_1", "nvme_0": "disks_nvme_0", "nvme_1": "disks_nvme_1", "nvme_2": "disks_nvme_2",
	}}},
	"name_expansion":            {{profile: jsonProfile("devices", nil, nil)}},
	"time_timezone_MST":         {{profile: jsonProfile("", &payload.Time{Path: "t", Format: "2006-01-02 15:04:05", Zone: "MST"}, metricsOf{"truth": {Path: "v"}}), times: true}},
	"time_timezone_with_offset": {{profile: jsonProfile("", &payload.Time{Path: "t", Format: "rfc3339"}, metricsOf{"truth": {Path: "v"}}), times: true}},
	"cbor":                      {{profile: payload.Profile{Decode: payload.Decode{CBOR: &payload.CBOR{Each: "people"}}}}},
	"native_types_cbor":         {{profile: payload.Profile{Decode: payload.Decode{CBOR: &payload.CBOR{Each: "people"}}}}},
}

// telegrafPoint is a point as Telegraf states it.
type telegrafPoint struct {
	Tags   map[string]string
	Fields []struct {
		Name  string
		Value any
	}
	Time *struct{ Value string }
}

func judgeTelegraf(c corpusCase) error {
	profiles := telegrafs[path.Base(c.ID)]
	if profiles == nil {
		return fmt.Errorf("no profile")
	}
	var want struct{ Points []telegrafPoint }
	if c.Expected != nil {
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			return err
		}
	}
	for _, p := range profiles {
		readings, err := decodeCase(p.profile, c.Inputs[p.input], "")
		if p.none {
			if reasonOf(err) != "missing" || len(want.Points) > 0 {
				return fmt.Errorf("got %v, %v, want no reading", readings, err)
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := p.compare(readings, p.of(want.Points)); err != nil {
			return err
		}
	}
	return nil
}

// of returns the points that an input makes, as readings are made here.
func (p telegraf) of(points []telegrafPoint) []telegrafPoint {
	if p.merge {
		all := points[0]
		for _, more := range points[1:] {
			all.Fields = append(all.Fields, more.Fields...)
		}
		return []telegrafPoint{all}
	}
	if p.points == nil {
		return points
	}
	var own []telegrafPoint
	for _, i := range p.points {
		own = append(own, points[i])
	}
	return own
}

// compare holds that there is a reading for each point, and nothing else.
func (p telegraf) compare(readings []protocol.Reading, points []telegrafPoint) error {
	if len(readings) != len(points) {
		return fmt.Errorf("got %d readings, want %d", len(readings), len(points))
	}
	left := slices.Clone(readings)
	for _, point := range points {
		i := slices.IndexFunc(left, func(r protocol.Reading) bool { return p.is(&r, point) })
		if i < 0 {
			return fmt.Errorf("no %+v in %+v", point, left)
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}

// is reports whether r is a point: its tags and fields, and its time.
func (p telegraf) is(r *protocol.Reading, point telegrafPoint) bool {
	at := p.at
	if p.times && point.Time != nil {
		n, err := strconv.ParseInt(point.Time.Value, 10, 64)
		if err != nil {
			return false
		}
		at = protocol.Timestamp(n)
	}
	if r.SourceTime != at {
		return false
	}
	held := 0
	for name, text := range point.Tags {
		if !sameText(valueIn(r, p.ours(r, name)), text) {
			return false
		}
		held++
	}
	for _, f := range point.Fields {
		if f.Name == "timestamp" && p.profile.Time != nil && p.profile.Time.Path == "timestamp" {
			continue // the time is no metric here
		}
		v := valueIn(r, p.ours(r, f.Name))
		if text, ok := f.Value.(string); !means(v, f.Value) && (!ok || !sameText(v, text)) {
			return false
		}
		held++
	}
	return held == len(r.Metrics)
}

// sameText reports whether v is what the peer has as text, numbers as it writes
// them.
func sameText(v protocol.Value, text string) bool {
	if n, ok := v.Number(); ok {
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && f == n
	}
	return !v.IsNull() && v.String() == text
}

// ours returns our name for the peer's. Of the phones in the address book it
// counts what is there: phones_number_1 is the second number, wherever it stands.
func (p telegraf) ours(r *protocol.Reading, name string) string {
	if ours, ok := p.names[name]; ok {
		return ours
	}
	kind, ok := strings.CutPrefix(name, "phones_")
	if !ok || p.profile.Decode.CBOR == nil {
		return name
	}
	kind, count, _ := strings.Cut(kind, "_")
	n, _ := strconv.Atoi(count)
	for i := range r.Metrics {
		if m := r.Metrics[i].Name; strings.HasPrefix(m, "phones_") && strings.HasSuffix(m, "_"+kind) {
			if n == 0 {
				return m
			}
			n--
		}
	}
	return name
}
