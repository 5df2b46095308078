package sink_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/protocol"
	"sluice/sink"
)

var pump = &protocol.Device{
	Name: "pump 7", Profile: "power", Driver: "floor",
	Tags: []protocol.Tag{{Key: "area", Value: "hall"}, {Key: "line", Value: ""}},
}

func TestTemplateExpands(t *testing.T) {
	shout := func(dst []byte, s string) []byte { return append(dst, strings.ToUpper(s)...) }
	tests := []struct {
		text, plain, escaped string
		names                []string
	}{
		{"", "", "", nil},
		{"readings", "readings", "readings", nil},
		{"readings.{gateway}.{device}", "readings.plant-7.pump 7", "readings.PLANT-7.PUMP 7", []string{"gateway", "device"}},
		{"{profile}", "power", "POWER", []string{"profile"}},
		{"a{driver}b{area}", "afloorbhall", "aFLOORbHALL", []string{"driver", "area"}},
		{"{line}|{absent}|{area}", "|_|hall", "|_|HALL", []string{"line", "absent", "area"}},
	}
	for _, tt := range tests {
		tmpl, err := sink.ParseTemplate(tt.text)
		if err != nil {
			t.Errorf("ParseTemplate(%q): %v", tt.text, err)
			continue
		}
		if got := string(tmpl.Append(nil, "plant-7", pump, nil)); got != tt.plain {
			t.Errorf("%q expands to %q, want %q", tt.text, got, tt.plain)
		}
		if got := string(tmpl.Append(nil, "plant-7", pump, shout)); got != tt.escaped {
			t.Errorf("%q expands to %q with escape, want %q", tt.text, got, tt.escaped)
		}
		if got := tmpl.Names(); !slices.Equal(got, tt.names) {
			t.Errorf("names of %q = %q, want %q", tt.text, got, tt.names)
		}
		if prefix, _, _ := strings.Cut(tt.text, "{"); tmpl.Prefix() != prefix || tmpl.String() != tt.text {
			t.Errorf("%q: prefix %q, text %q", tt.text, tmpl.Prefix(), tmpl)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a{device":      "{ at character 2 has no }",
		"a}b":           "} at character 2 has no {",
		"{}":            "{} at character 1 is not a name",
		"x{a b}":        "{a b} at character 2 is not a name",
		"{{device}}":    "{ at character 1 has no }",
		"{device}.{a}}": "} at character 13 has no {",
	} {
		if _, err := sink.ParseTemplate(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseTemplate(%q) = %v, want %q in it", text, err, want)
		}
	}
}

func TestPerDeviceRemembersAndStaysBounded(t *testing.T) {
	calls := 0
	p := sink.NewPerDevice(func(d *protocol.Device) string { calls++; return d.Name })
	first, again := p.Of(pump), p.Of(pump)
	if first != "pump 7" || again != "pump 7" || calls != 1 {
		t.Fatalf("derived %d times, want once", calls)
	}
	for range 20_000 {
		p.Of(&protocol.Device{})
	}
	if p.Of(pump) != "pump 7" || calls != 20_002 {
		t.Errorf("derived %d times, want 20002: forgotten and derived again", calls)
	}
}

func TestTemplateAllocatesNothing(t *testing.T) {
	tmpl, err := sink.ParseTemplate("readings.{gateway}.{device}.{area}")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() { tmpl.Append(buf, "plant-7", pump, nil) }); n != 0 {
		t.Errorf("Append allocates %v times", n)
	}
}
