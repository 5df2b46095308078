package lineproto

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
	input "sluice/protocol/payload/lineproto"
)

// names are texts that are written as they are, escaped at most.
func names() *rapid.Generator[string] {
	plain := rapid.StringOf(rapid.RuneFrom([]rune(`ab"',= #°x`)))
	return rapid.OneOf(plain, rapid.StringMatching(`[a-z_]{1,12}`)).Filter(func(s string) bool {
		return s != "" && !isReserved(s) && !strings.HasPrefix(s, "#")
	})
}

func values() *rapid.Generator[protocol.Value] {
	return rapid.OneOf(
		rapid.Map(rapid.Float64(), protocol.Float).Filter(isFinite),
		rapid.Map(rapid.Int64(), protocol.Int),
		rapid.Map(rapid.Uint64Min(1<<63), protocol.Uint), // smaller ones are written as integers
		rapid.Map(rapid.Bool(), protocol.Bool),
		rapid.Map(rapid.String(), protocol.String),
		rapid.Map(rapid.StringOf(rapid.RuneFrom([]rune("a\"\\\n\r\tn "))), protocol.String),
	)
}

// TestDecoderReadsWhatEncoderWrites sends readings from one gateway to another.
func TestDecoderReadsWhatEncoderWrites(t *testing.T) {
	decoder := input.New(input.Config{Precision: "ns", Measurement: "tag", Device: "device"})
	rapid.Check(t, func(t *rapid.T) {
		metrics := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) protocol.Metric {
			return protocol.Metric{Name: names().Draw(t, "metric"), Value: values().Draw(t, "value")}
		}), 1, 5, func(m protocol.Metric) string { return m.Name }).Draw(t, "metrics")
		tags := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) protocol.Tag {
			return protocol.Tag{Key: "t" + names().Draw(t, "tag"), Value: names().Draw(t, "value")}
		}), 0, 4, func(tag protocol.Tag) string { return tag.Key }).Draw(t, "tags")
		slices.SortFunc(tags, func(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) })
		device := &protocol.Device{Name: names().Draw(t, "device"), Profile: names().Draw(t, "profile"), Tags: tags}
		sent := protocol.Reading{Device: device, Metrics: metrics, SourceTime: protocol.Timestamp(rapid.Int64().Draw(t, "time"))}

		e, err := New("", DefaultFormat())
		if err != nil {
			t.Fatal(err)
		}
		line, err := e.Append(nil, &sent)
		if err != nil {
			t.Fatal(err)
		}
		var b protocol.Batch
		if err := decoder.Decode(&b, line); err != nil || len(b.Readings) != 1 {
			t.Fatalf("%q: %d readings, %v", line, len(b.Readings), err)
		}
		got := &b.Readings[0]
		wantTags := append([]protocol.Tag{{Key: "measurement", Value: device.Profile}}, tags...)
		if got.Device.Name != device.Name || !slices.Equal(got.Device.Tags, wantTags) || got.SourceTime != sent.SourceTime {
			t.Errorf("%q: %+v @%d", line, *got.Device, got.SourceTime)
		}
		if !slices.Equal(got.Metrics, sent.Metrics) {
			t.Errorf("%q: %v, want %v", line, got.Metrics, sent.Metrics)
		}
	})
}
