package sparkplug

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/protocol"
)

var plainTypes = []DataType{
	Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float, Double, Boolean, String, DateTime, Text, UUID,
}

// drawValue draws a value of a plain type.
func drawValue(t *rapid.T, of DataType) protocol.Value {
	switch of {
	case Int8, Int16, Int32, Int64, DateTime:
		most := int64(math.MaxInt64 >> (64 - of.bits()))
		return protocol.Int(rapid.Int64Range(-most-1, most).Draw(t, "int"))
	case UInt8, UInt16, UInt32, UInt64:
		return protocol.Uint(rapid.Uint64Range(0, math.MaxUint64>>(64-of.bits())).Draw(t, "uint"))
	case Float:
		return protocol.Float(float64(rapid.Float32().Draw(t, "float")))
	case Double:
		return protocol.Float(rapid.OneOf(rapid.Float64(), rapid.Just(math.NaN()), rapid.Just(math.Inf(-1))).Draw(t, "double"))
	case Boolean:
		return protocol.Bool(rapid.Bool().Draw(t, "bool"))
	case Bytes, File:
		return protocol.Bytes(string(rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "bytes")))
	}
	return protocol.String(strings.ReplaceAll(rapid.String().Draw(t, "text"), "\x00", ""))
}

// draw draws a metric.
func draw(t *rapid.T, name string, depth int) Metric {
	types := rapid.SampledFrom(append(append([]DataType{}, plainTypes...), Bytes, File, DataSet, Template,
		Int8Array, Int16Array, Int32Array, Int64Array, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
		FloatArray, DoubleArray, BooleanArray, StringArray, DateTimeArray))
	m := Metric{
		Name:       name,
		Type:       types.Draw(t, "type"),
		Unit:       rapid.SampledFrom([]string{"", "°C", "bar"}).Draw(t, "unit"),
		Quality:    rapid.SampledFrom([]protocol.Quality{protocol.Good, protocol.Uncertain, protocol.Bad}).Draw(t, "quality"),
		Time:       protocol.Timestamp(rapid.SampledFrom([]int64{0, 1, 1e12}).Draw(t, "time")) * ms,
		Historical: rapid.Bool().Draw(t, "historical"),
	}
	switch element := m.Type.element(); {
	case element != Unknown:
		for range rapid.IntRange(0, 20).Draw(t, "elements") {
			m.Elements = append(m.Elements, drawValue(t, element))
		}
	case m.Type == DataSet:
		m.Table = drawTable(t)
	case m.Type == Template && depth < 3:
		for i := range rapid.IntRange(0, 3).Draw(t, "members") {
			m.Members = append(m.Members, draw(t, fmt.Sprint("member", i), depth+1))
		}
	case m.Type == Template:
	case rapid.IntRange(0, 9).Draw(t, "null") > 0:
		m.Value = drawValue(t, m.Type)
	}
	return m
}

func drawTable(t *rapid.T) *Table {
	table := &Table{}
	for i := range rapid.IntRange(1, 4).Draw(t, "columns") {
		table.Columns = append(table.Columns, fmt.Sprint("c", i))
		table.Types = append(table.Types, rapid.SampledFrom(plainTypes).Draw(t, "column"))
	}
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		var row []protocol.Value
		for _, of := range table.Types {
			v := drawValue(t, of)
			if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
				v = protocol.Value{}
			}
			row = append(row, v)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// flat is a metric with the time and history that its reading has.
type flat struct {
	protocol.Metric
	at         protocol.Timestamp
	historical bool
}

// flatten appends what a reader should make of m, to which around belongs.
func flatten(dst []flat, m Metric, name string, around flat) []flat {
	if m.Time != 0 {
		around.at = m.Time
	}
	around.historical = around.historical || m.Historical
	around.Unit, around.Quality = m.Unit, max(around.Quality, m.Quality)
	add := func(name string, of DataType, v protocol.Value) {
		if v.IsNull() {
			return
		}
		f := around
		f.Name, f.Value = name, v
		if of == DateTime && f.Unit == "" {
			f.Unit = "ms"
		}
		dst = append(dst, f)
	}
	switch {
	case m.Type.element() != Unknown:
		for i, v := range m.Elements {
			add(fmt.Sprintf("%s_%d", name, i), m.Type.element(), v)
		}
	case m.Type == DataSet:
		for i, row := range m.Table.Rows {
			for j, v := range row {
				add(fmt.Sprintf("%s_%d_%s", name, i, m.Table.Columns[j]), m.Table.Types[j], v)
			}
		}
	case m.Type == Template:
		for _, member := range m.Members {
			dst = flatten(dst, member, name+"_"+member.Name, around)
		}
	default:
		add(name, m.Type, m.Value)
	}
	return dst
}

// TestRoundTrip writes births and data of every type and reads them back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, e := New(DefaultConfig()), NewEdge("g", "n")
		var metrics []Metric
		for i := range rapid.IntRange(1, 5).Draw(t, "metrics") {
			metrics = append(metrics, draw(t, fmt.Sprint("metric ", i), 0))
		}
		var b protocol.Batch
		check(t, h, &b, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, metrics), metrics)
		for i := range metrics {
			metrics[i].Historical = rapid.Bool().Draw(t, "historical")
		}
		check(t, h, &b, e.Topic(NodeData, ""), e.AppendData(nil, "", at, metrics), metrics)
		if _, _, ok := h.Reply(); ok || h.Gaps() > 0 {
			t.Errorf("%d gaps", h.Gaps())
		}
	})
}

func check(t *rapid.T, d *Decoder, b *protocol.Batch, topic string, payload []byte, metrics []Metric) {
	b.Reset()
	err := d.Decode(b, topic, payload, 1)
	var want []flat
	for _, m := range metrics {
		want = flatten(want, m, m.Name, flat{at: at})
	}
	if len(want) == 0 {
		if err == nil {
			t.Fatalf("no values give %d readings", len(b.Readings))
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]flat{}
	for _, r := range b.Readings {
		for _, m := range r.Metrics {
			got[m.Name] = flat{m, r.SourceTime, r.Historical}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d metrics, want %d", len(got), len(want))
	}
	for _, w := range want {
		if g := got[w.Name]; g != w {
			t.Errorf("got %+v\nwant %+v", g, w)
		}
	}
}
