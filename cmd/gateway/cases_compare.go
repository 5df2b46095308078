package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/protocol"
)

// difference is a field of a test that something else came of.
type difference struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Field  string `json:"field"`
	Want   string `json:"want,omitempty"` // "": it could not be tried
	Got    string `json:"got"`
}

const nothing = "nothing"

// differ notes a difference in a field: keys and list positions from 0, joined by
// dots. People count from 1.
func (t *trial) differ(field, want, got string) {
	line, column := t.test.Place(field)
	if rest, ok := strings.CutPrefix(field, "expect."); ok {
		index, rest, _ := strings.Cut(rest, ".")
		i, _ := strconv.Atoi(index) // a number
		field = strings.TrimSuffix(fmt.Sprintf("expect %d.%s", i+1, rest), ".")
	}
	t.differences = append(t.differences, difference{line, column, field, want, got})
}

// compare notes where the result is not what the test expects.
func (t *trial) compare() {
	test, batch := t.test, t.result.batch
	reason, detail := refused(t.result.refusal)
	switch {
	case test.Rejected != "" && reason == "":
		t.differ("rejected", test.Rejected, "readings")
	case test.Rejected != "" && reason != test.Rejected:
		t.differ("rejected", test.Rejected, reason+": "+detail)
	case test.Rejected == "" && reason != "":
		t.differ("expect", "readings", "refused ("+reason+"): "+detail)
	}
	if test.Rejected != "" || reason != "" {
		return
	}
	for i := range test.Expect {
		field := fmt.Sprintf("expect.%d", i)
		if i >= len(batch.Readings) {
			t.differ(field, "a reading", nothing)
			continue
		}
		t.reading(field, &test.Expect[i], &batch.Readings[i])
	}
	if !test.Exact {
		return
	}
	for i := len(test.Expect); i < len(batch.Readings); i++ {
		t.differ("expect", nothing, "a further reading of "+batch.Readings[i].Device.Name)
	}
	for _, f := range batch.Flaws {
		t.differ("expect", nothing, "left out ("+f.Refusal.Reason+"): "+f.Refusal.Err.Error())
	}
}

// reading compares one reading.
func (t *trial) reading(field string, want *config.Expected, got *protocol.Reading) {
	if want.Device != "" && want.Device != got.Device.Name {
		t.differ(field+".device", want.Device, got.Device.Name)
	}
	if at, err := time.Parse(time.RFC3339Nano, want.Time); err == nil && protocol.At(at) != got.Time() {
		t.differ(field+".time", want.Time, got.Time().Time().Format(time.RFC3339Nano))
	}
	tags, metrics := map[string]string{}, map[string]string{}
	units, quality := map[string]string{}, map[string]string{}
	for _, t := range got.Device.Tags {
		tags[t.Key] = t.Value
	}
	for _, m := range got.Metrics {
		metrics[m.Name] = expectable(m.Value)
		if want, ok := want.Metrics[m.Name]; ok && isValue(want, m.Value) {
			metrics[m.Name] = want
		}
		if _, named := want.Units[m.Name]; named || m.Unit != "" {
			units[m.Name] = m.Unit
		}
		if _, named := want.Quality[m.Name]; named || m.Quality != protocol.Good {
			quality[m.Name] = m.Quality.String()
		}
	}
	t.table(field+".tags", want.Tags, tags)
	t.table(field+".metrics", want.Metrics, metrics)
	t.table(field+".units", want.Units, units)
	t.table(field+".quality", want.Quality, quality)
}

// table compares what stands by name; what is not wanted counts when the test is
// exact.
func (t *trial) table(field string, want, got map[string]string) {
	for _, name := range sortedKeys(want) {
		switch value, ok := got[name]; {
		case !ok:
			t.differ(field+"."+name, said(want[name]), nothing)
		case value != want[name]:
			t.differ(field+"."+name, said(want[name]), said(value))
		}
	}
	for _, name := range sortedKeys(got) {
		if _, named := want[name]; !named && t.test.Exact {
			t.differ(field+"."+name, nothing, said(got[name]))
		}
	}
}

// said makes visible what would not be seen.
func said(text string) string {
	if text == "" {
		return `""`
	}
	return printable(text)
}

// expectable writes a value as a test does.
func expectable(v protocol.Value) string {
	if v.Kind() == protocol.KindBytes {
		return base64.StdEncoding.EncodeToString([]byte(v.Text()))
	}
	return valueText(v)
}

// isValue reports whether the text of a test stands for v. Floats may differ in
// what arithmetic loses: one part in 10^9.
func isValue(want string, v protocol.Value) bool {
	if want == expectable(v) || want == v.String() && v.Kind() != protocol.KindBytes {
		return true
	}
	number, err := strconv.ParseFloat(want, 64)
	if err != nil || v.Kind() != protocol.KindFloat {
		return false
	}
	got := v.Float()
	return number == got || math.Abs(number-got) <= 1e-9*math.Abs(number)
}
