package lineproto

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"sluice/protocol"
)

// FuzzDecode holds the decoder against the reference implementation.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		string(typical()), "m x=1", "m,a=b x=1i,y=2u,z=t,s=\"\\\"\\\\\" 1\r\nm x=1 2\r", `m\ a\,b,t\,\ \==v\,\ \=w f\,\ \=g="\n"`,
		"# c\n\n  m x=1e5 -1", "m,a=b,a=c x=1", "m x=1,x=2", "m x=\"a\nb\" 1\n", `\\ \\=1`, "m,a=\x01 x=1", "m x=0x1p4 1",
	} {
		f.Add([]byte(seed))
	}
	d := decoderOf("tag", "", "ns") // goes on, as in use
	f.Fuzz(func(t *testing.T, message []byte) {
		if len(message) > 1<<16 {
			return
		}
		sent := bytes.Clone(message)
		b := protocol.Batch{Readings: []protocol.Reading{{SourceTime: 1}}}
		err := d.Decode(&b, message)
		if !bytes.Equal(sent, message) {
			t.Fatal("the message is changed")
		}
		got := b.Readings[1:]
		want, refError := reference(message)
		if err != nil {
			if _, ok := err.(*protocol.Refusal); !ok || len(got) > 0 {
				t.Fatalf("%v, and %d readings", err, len(got))
			}
			if refError == nil && len(want) > 0 && !stricter(want, message) {
				t.Fatalf("%v, the reference reads %v", err, want)
			}
			return
		}
		if refError != nil {
			if !bytes.ContainsFunc(message, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' || r == 0x7f }) {
				t.Fatalf("accepted, the reference says %v", refError)
			}
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%d readings, want %d", len(got), len(want))
		}
		for i := range got {
			same(t, &got[i], want[i], bytes.ContainsRune(message, '\\'))
		}
	})
}

// point is a line as the reference reads it.
type point struct {
	tags   []protocol.Tag
	names  []string
	values map[string]lineprotocol.Value // the first of each name
	time   protocol.Timestamp
}

func reference(message []byte) (points []point, err error) {
	d := lineprotocol.NewDecoderWithBytes(bytes.Clone(message))
	for d.Next() {
		p := point{values: map[string]lineprotocol.Value{}}
		measurement, err := d.Measurement()
		if err != nil {
			return nil, err
		}
		name := string(measurement)
		for {
			key, value, err := d.NextTag()
			if err != nil {
				return nil, err
			}
			if key == nil {
				break
			}
			p.tags = append(p.tags, protocol.Tag{Key: string(key), Value: string(value)})
		}
		slices.SortStableFunc(p.tags, byKey)
		for _, word := range reserved {
			giveWay(p.tags, word)
		}
		p.tags = withMeasurement(p.tags, name)
		slices.SortFunc(p.tags, byKey)
		for {
			key, value, err := d.NextField()
			if err != nil {
				return nil, err
			}
			if key == nil {
				break
			}
			if _, ok := p.values[string(key)]; !ok {
				p.names = append(p.names, string(key))
				p.values[string(key)], _ = lineprotocol.NewValue(value.Interface())
			}
		}
		at, err := d.Time(lineprotocol.Nanosecond, time.Unix(0, 0))
		if err != nil {
			return nil, err
		}
		p.time = protocol.At(at)
		points = append(points, p)
	}
	return points, nil
}

// stricter reports whether we refuse on purpose what the reference reads: a tag
// that is there twice, a number in hexadecimal or with underscores, too many tags
// or metrics.
func stricter(points []point, message []byte) bool {
	metrics := 0
	for _, p := range points {
		keys := map[string]bool{}
		for _, tag := range p.tags {
			keys[tag.Key] = true
		}
		if len(keys) < len(p.tags) || len(p.tags) > maxTags {
			return true
		}
		metrics += len(p.names)
	}
	return metrics > maxMetrics || regexp.MustCompile(`=-?[0-9.eE+-]*[_xX]`).Match(message)
}

func same(t *testing.T, r *protocol.Reading, want point, escapes bool) {
	t.Helper()
	if !slices.Equal(r.Device.Tags, want.tags) || r.SourceTime != want.time {
		t.Fatalf("tags %q @%d, want %q @%d", r.Device.Tags, r.SourceTime, want.tags, want.time)
	}
	var names []string
	for _, m := range r.Metrics {
		names = append(names, m.Name)
		var got any
		switch v := m.Value; v.Kind() {
		case protocol.KindFloat:
			got = v.Float()
		case protocol.KindInt:
			got = v.Int()
		case protocol.KindUint:
			got = v.Uint()
		case protocol.KindBool:
			got = v.Bool()
		case protocol.KindString:
			if !utf8.ValidString(v.Text()) {
				t.Fatalf("%q is not UTF-8", v)
			}
			if escapes && want.values[m.Name].Kind() == lineprotocol.String {
				continue // the reference makes line breaks and tabs of \n, \r and \t
			}
			got = v.Text()
		}
		if want := want.values[m.Name].Interface(); got != want {
			t.Fatalf("%s is %v, want %v", m.Name, got, want)
		}
	}
	if !slices.Equal(names, want.names) || len(names) != len(slices.Collect(maps.Keys(want.values))) {
		t.Fatalf("fields %q, want %q", names, want.names)
	}
}
