package payload

import (
	"strings"
	"testing"

	"sluice/protocol"
	"sluice/protocol/payload/nmea"
)

// TestOneBadMetricIsLeftOut: the rest of the message is kept, and what is
// missing is told.
func TestOneBadMetricIsLeftOut(t *testing.T) {
	ab := map[string]Metric{"a": {Type: "int"}, "b": {Type: "int"}}
	for _, c := range []struct {
		p           Profile
		in          string
		kept, flaws string // names
	}{
		{Profile{Decode: Decode{JSON: &JSON{}}, Metrics: ab}, `{"a":1,"b":"x"}`, "a", "b"},
		{Profile{Decode: Decode{JSON: &JSON{}}, Metrics: ab}, `{"a":1,"b":[]}`, "a", "b"},
		{Profile{Decode: Decode{JSON: &JSON{}}, Metrics: ab}, `{"a":1.5,"b":2}`, "b", "a"},
		{Profile{Decode: Decode{JSON: &JSON{Each: "s"}}, Metrics: ab}, `{"s":[{"a":1,"b":"x"},{"b":"y"},{"b":2}]}`, "a b", "b b"},
		{Profile{Decode: Decode{JSON: &JSON{}}, Metrics: map[string]Metric{"*": {Path: "*", Type: "int"}}}, `{"x":1,"y":"?"}`, "x", "y"},
		{Profile{Decode: Decode{CBOR: &CBOR{}}, Metrics: ab}, "\xa2aa\x01ab\x40", "a", "b"},
		{Profile{Decode: Decode{SenML: &SenML{}}, Metrics: ab}, `[{"n":"a","v":1},{"n":"b","vs":"x"}]`, "a", "b"},
		{Profile{Decode: Decode{CSV: &CSV{Columns: []string{"a", "b"}}}, Metrics: ab}, "ERR,2", "b", "a"},
		{Profile{Decode: Decode{Regex: "(?P<a>.*) (?P<b>.*)"}, Metrics: ab}, "1 x", "a", "b"},
		{Profile{Decode: Decode{NMEA: &nmea.Config{}}, Metrics: map[string]Metric{"speed": {Type: "int"}, "course": {}}}, "$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K*48", "course", "speed"},
	} {
		b := &protocol.Batch{}
		d := decoder(t, c.p)
		for range 2 {
			b.Reset()
			if err := d.Decode(b, Message{Payload: []byte(c.in), Device: device}); err != nil {
				t.Fatalf("%q: %v", c.in, err)
			}
			var kept, flaws []string
			for i := range b.Readings {
				for _, m := range b.Readings[i].Metrics {
					kept = append(kept, m.Name)
				}
			}
			for _, f := range b.Flaws {
				name, ok := strings.CutPrefix(f.Refusal.Err.Error(), "metric ")
				if !ok || f.Refusal.Reason != "type" || f.Device != device {
					t.Errorf("%q: %v of %v", c.in, f.Refusal, f.Device)
				}
				name, _, _ = strings.Cut(name, ":")
				flaws = append(flaws, name)
			}
			if strings.Join(kept, " ") != c.kept || strings.Join(flaws, " ") != c.flaws {
				t.Errorf("%q: kept %v, left out %v", c.in, kept, flaws)
			}
		}
	}
}

// TestFlawsEndWithTheirMessage: what is wrong with a refused message is not told
// of the next.
func TestFlawsEndWithTheirMessage(t *testing.T) {
	d := decoder(t, Profile{Decode: Decode{JSON: &JSON{}}, Metrics: map[string]Metric{"a": {Type: "int"}, "b": {Type: "int"}}})
	b := &protocol.Batch{}
	if err := d.Decode(b, Message{Payload: []byte(`{"a":"x","b":"y"}`), Device: device}); err == nil || err.(*protocol.Refusal).Reason != "type" {
		t.Errorf("got %v", err)
	}
	if err := d.Decode(b, Message{Payload: []byte(`{"a":1}`), Device: device}); err != nil || len(b.Flaws) != 0 {
		t.Errorf("%v, %v", err, b.Flaws)
	}
}
