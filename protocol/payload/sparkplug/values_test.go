package sparkplug

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// TestIntegers is how encoders write integers: signed ones as two's complement
// of their own width, of 32 bits, or of 64, in either field.
func TestIntegers(t *testing.T) {
	for _, tt := range []struct {
		datatype  DataType
		long      bool
		wire      uint64
		want      protocol.Value
		uncertain bool
	}{
		{Int8, false, 0x80, protocol.Int(-128), false},
		{Int8, false, 0xFFFFFF80, protocol.Int(-128), false},
		{Int8, true, 0xFFFFFF80, protocol.Int(-128), false},
		{Int8, true, math.MaxUint64, protocol.Int(-1), false},
		{Int8, false, 127, protocol.Int(127), false},
		{Int8, false, 300, protocol.Int(300), true},
		{Int8, false, 0xFFFFFF7F, protocol.Int(-129), true},
		{Int16, false, 0x8AD0, protocol.Int(-30000), false},
		{Int16, false, 0xFFFF8AD0, protocol.Int(-30000), false},
		{Int16, true, 1 << 40, protocol.Int(1 << 40), true},
		{Int32, false, 0xFFFFFFF4, protocol.Int(-12), false},
		{Int32, true, 0xFFFFFFF4, protocol.Int(-12), false},
		{Int32, true, 0xFFFFFFFFFFFFFFF4, protocol.Int(-12), false},
		{Int32, true, 0xFFFFFFFF00000000, protocol.Int(-1 << 32), true},
		{Int64, true, 0x8000000000000000, protocol.Int(math.MinInt64), false},
		{Int64, false, 0xFFFFFFF4, protocol.Int(-12), false},
		{Int64, true, 0xFFFFFFF4, protocol.Int(0xFFFFFFF4), false},
		{UInt8, false, 255, protocol.Uint(255), false},
		{UInt8, false, 256, protocol.Uint(256), true},
		{UInt32, false, 0xFFFFFFFF, protocol.Uint(0xFFFFFFFF), false},
		{UInt32, true, 0xFFFFFFFF, protocol.Uint(0xFFFFFFFF), false},
		{UInt64, true, math.MaxUint64, protocol.Uint(math.MaxUint64), false},
		{DateTime, true, 1479123452194, protocol.Int(1479123452194), false},
		{Boolean, false, 1, protocol.Bool(true), false},
	} {
		m := &pb.Metric{Name: proto.String("x"), Datatype: proto.Uint32(uint32(tt.datatype))}
		m.Value = &pb.Metric_IntValue{IntValue: uint32(tt.wire)}
		if tt.long {
			m.Value = &pb.Metric_LongValue{LongValue: tt.wire}
		}
		var b protocol.Batch
		err := New(DefaultConfig()).Decode(&b, "spBv1.0/g/NDATA/n", appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{m}}), 1)
		if err != nil {
			t.Errorf("%v %x: %v", tt.datatype, tt.wire, err)
			continue
		}
		got := b.Readings[0].Metrics[0]
		if got.Value != tt.want || (got.Quality == protocol.Uncertain) != tt.uncertain || (got.Unit == "ms") != (tt.datatype == DateTime) {
			t.Errorf("%v %x is %v %v %v, want %v", tt.datatype, tt.wire, got.Value, got.Unit, got.Quality, tt.want)
		}
	}
}

// hearMetric decodes one metric of a node without a birth.
func hearMetric(t *testing.T, m *pb.Metric) string {
	t.Helper()
	m.Name = proto.String("x")
	return newHost().hear(t, "spBv1.0/g/NDATA/n", appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{m}}))
}

// TestArrays has the examples of the specification, chapter 6.4.16, but for its
// Int8Array: EF is -17, and not -23 as it says there.
func TestArrays(t *testing.T) {
	for _, tt := range []struct {
		datatype DataType
		packed   string
		want     string
	}{
		{Int8Array, "\xEF\x7B", "x_0=-17 x_1=123"},
		{Int16Array, "\xD0\x8A\x30\x75", "x_0=-30000 x_1=30000"},
		{UInt32Array, "\x34\x00\x00\x00\x49\xFB\x55\xC4", "x_0=52 x_1=3293969225"},
		{Int64Array, "\xCE\x06\x72\xAC\x18\x9C\xBA\xC4\xC4\xBA\x9C\x18\xAC\x72\x06\xCE", "x_0=-4270929666821191986 x_1=-3601064768563266876"},
		{UInt64Array, strings.Repeat("\xFF", 8), "x_0=18446744073709551615"},
		{FloatArray, "\x00\x00\x00\x3F\x00\x00\xC0\x7F", "x_0=0.5 x_1=NaN"},
		{DoubleArray, "\x00\x00\x00\x00\x00\x00\xF8\x3F", "x_0=1.5"},
		{BooleanArray, "\x0C\x00\x00\x00\x34\xD0", "x_0=false x_1=false x_2=true x_3=true x_4=false x_5=true x_6=false x_7=false x_8=true x_9=true x_10=false x_11=true"},
		{StringArray, "ABC\x00hello\x00", "x_0=ABC x_1=hello"},
		{StringArray, "ABC\x00\x00hello", "x_0=ABC x_1= x_2=hello"},
		{DateTimeArray, "\xC7\xD0\x90\x75\x24\x01\x00\x00", "x_0=1256102875335 ms"},
		{Int16Array, "\x01", "syntax"},
		{BooleanArray, "\x01", "syntax"},
		{BooleanArray, "\x09\x00\x00\x00\x00", "syntax"},
		{BooleanArray, "\xFF\xFF\xFF\xFF", "syntax"},
		{StringArray, "\xFF\x00", "utf8"},
		{UInt8Array, strings.Repeat("a", maxMetrics+1), "size"},
		{UInt8Array, "", "missing"},
	} {
		got := hearMetric(t, &pb.Metric{Datatype: proto.Uint32(uint32(tt.datatype)), Value: &pb.Metric_BytesValue{BytesValue: []byte(tt.packed)}})
		got = strings.TrimSuffix(strings.TrimPrefix(got, "g/n "), " ask")
		if got != tt.want {
			t.Errorf("%v %q:\n got %s\nwant %s", tt.datatype, tt.packed, got, tt.want)
		}
	}
}

func TestRefusedValues(t *testing.T) {
	deep := Metric{Name: "m", Type: Boolean, Value: protocol.Bool(true)}
	for range maxDepth {
		deep = Metric{Name: "m", Type: Template, Members: []Metric{deep}}
	}
	text := func(s string) *pb.Metric_StringValue { return &pb.Metric_StringValue{StringValue: s} }
	set := func(s *pb.DataSet) *pb.Metric {
		return &pb.Metric{Datatype: proto.Uint32(uint32(DataSet)), Value: &pb.Metric_DatasetValue{DatasetValue: s}}
	}
	for name, tt := range map[string]struct {
		m    *pb.Metric
		want string
	}{
		"text for a number":  {&pb.Metric{Datatype: proto.Uint32(uint32(Int32)), Value: text("1")}, "type"},
		"text for an array":  {&pb.Metric{Datatype: proto.Uint32(uint32(Int32Array)), Value: text("1")}, "type"},
		"number for a text":  {&pb.Metric{Datatype: proto.Uint32(uint32(String)), Value: &pb.Metric_IntValue{}}, "type"},
		"2 for a bool":       {&pb.Metric{Datatype: proto.Uint32(uint32(Boolean)), Value: &pb.Metric_IntValue{IntValue: 2}}, "type"},
		"type of the future": {&pb.Metric{Datatype: proto.Uint32(77), Value: &pb.Metric_IntValue{}}, "type"},
		"text":               {&pb.Metric{Datatype: proto.Uint32(uint32(String)), Value: text("\xff")}, "utf8"},
		"time":               {&pb.Metric{Timestamp: proto.Uint64(1 << 60), Value: text("x")}, "time"},
		"depth":              {deep.message(noAlias, true), "type"},
		"columns":            {set(&pb.DataSet{Columns: []string{"a"}, Rows: []*pb.DataSet_Row{{}}}), "syntax"},
		"row": {set(&pb.DataSet{Columns: []string{"a"}, Types: []uint32{1}, Rows: []*pb.DataSet_Row{{
			Elements: []*pb.DataSet_DataSetValue{{}, {}}}}}), "syntax"},
		"no type": {&pb.Metric{Value: text("x")}, "g/n x=x"},
		"definition": {&pb.Metric{Value: &pb.Metric_TemplateValue{TemplateValue: &pb.Template{
			IsDefinition: proto.Bool(true), Metrics: []*pb.Metric{{Name: proto.String("y"), Value: text("x")}}}}}, "missing"},
		"null": {&pb.Metric{IsNull: proto.Bool(true), Value: text("x")}, "missing"},
		"unit": {&pb.Metric{Value: text("x"), Properties: &pb.PropertySet{
			Keys: []string{"engUnit"}, Values: []*pb.PropertyValue{{Value: &pb.PropertyValue_StringValue{StringValue: "\xff"}}}}}, "utf8"},
		"quality": {&pb.Metric{Value: text("x"), Properties: &pb.PropertySet{
			Keys: []string{"Quality"}, Values: []*pb.PropertyValue{{Value: &pb.PropertyValue_IntValue{IntValue: 500}}}}}, "g/n x=x bad"},
	} {
		want := tt.want
		if name == "depth" { // one more than hearMetric allows
			tt.m = (&Metric{Type: Template, Members: []Metric{deep}}).message(noAlias, true)
			want = "size"
		}
		if got := strings.TrimSuffix(hearMetric(t, tt.m), " ask"); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestComposedByAlias is a template whose data names neither itself nor its
// members by more than aliases.
func TestComposedByAlias(t *testing.T) {
	member := func(name *string, alias, value uint32) *pb.Metric {
		m := &pb.Metric{Name: name, Alias: proto.Uint64(uint64(alias)), Value: &pb.Metric_IntValue{IntValue: value}}
		if name != nil {
			m.Datatype = proto.Uint32(uint32(Int16))
		}
		return m
	}
	pump := func(name, of *string, value uint32) []byte {
		m := &pb.Metric{Name: name, Alias: proto.Uint64(1), Value: &pb.Metric_TemplateValue{TemplateValue: &pb.Template{
			Metrics: []*pb.Metric{member(of, 2, value)}}}}
		if name != nil {
			m.Datatype = proto.Uint32(uint32(Template))
		}
		return appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{m}})
	}
	h := newHost()
	h.want(t, "spBv1.0/g/NBIRTH/n", pump(proto.String("Pump"), proto.String("Speed"), 7), "g/n Pump_Speed=7")
	h.want(t, "spBv1.0/g/NDATA/n", pump(nil, nil, 0xFFFF), "g/n Pump_Speed=-1")
	h.want(t, "spBv1.0/g/NDATA/n", pump(nil, proto.String("Speed"), 3), "g/n Pump_Speed=3")
	h.want(t, "spBv1.0/g/NDEATH/n", nil, "g/n Pump_Speed=null bad")
}

// TestAmbiguousAlias is a birth that gives one alias to two metrics, as encoders
// do that write alias 0 for none.
func TestAmbiguousAlias(t *testing.T) {
	h := newHost()
	m := func(name *string) *pb.Metric {
		return &pb.Metric{Name: name, Alias: proto.Uint64(0), Datatype: proto.Uint32(uint32(UInt8)), Value: &pb.Metric_IntValue{IntValue: 1}}
	}
	birth := &pb.Payload{Metrics: []*pb.Metric{m(proto.String("a")), m(proto.String("b"))}}
	h.want(t, "spBv1.0/g/NBIRTH/n", appendPayload(nil, birth), "g/n a=1 b=1")
	h.want(t, "spBv1.0/g/NDATA/n", appendPayload(nil, birth), "g/n a=1 b=1")
	h.want(t, "spBv1.0/g/NDATA/n", appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{m(nil)}}), "sequence ask")
}

// TestControls are learnt and left out.
func TestControls(t *testing.T) {
	h, e := newHost(), NewEdge("g", "n")
	controls := []Metric{{Name: "Node Control/Scan Rate", Type: Int64, Value: protocol.Int(3000)}}
	h.want(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, controls), "kind")
	h.want(t, e.Topic(NodeData, ""), e.AppendData(nil, "", at, append(controls, number(1))), "g/n @0 T=1")
	h.want(t, e.Topic(NodeDeath, ""), e.AppendDeath(nil), "g/n T=null bad")
}

func TestUnitNames(t *testing.T) {
	for _, key := range []string{"engUnit", "EngUnit", "Engineering Units", "unit"} {
		got := hearMetric(t, &pb.Metric{Value: &pb.Metric_DoubleValue{DoubleValue: 1}, Properties: &pb.PropertySet{
			Keys: []string{"low", key}, Values: []*pb.PropertyValue{
				{Value: &pb.PropertyValue_DoubleValue{DoubleValue: 0}}, {Value: &pb.PropertyValue_StringValue{StringValue: "bar"}}}}})
		if want := "g/n x=1 bar ask"; got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestConfig(t *testing.T) {
	for text, want := range map[string]Interval{"off": Off, "30s": 30e9, "0s": 0} {
		var i Interval
		if err := i.UnmarshalText([]byte(text)); err != nil || i != want {
			t.Errorf("%q reads as %v, %v", text, i, err)
		}
	}
	for _, text := range []string{"", "10", "-1s", "never"} {
		if err := new(Interval).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	for i, want := range map[Interval]string{0: "", Off: "", 1e9: "", 1: "rebirth is 1ns, want off or 1s to 24h", 1e15: "rebirth is 277h46m40s, want off or 1s to 24h"} {
		got := ""
		(&Config{Rebirth: i}).Validate(func(field, problem string) { got = fmt.Sprint(field, " ", problem) })
		if got != want {
			t.Errorf("%v: got %q, want %q", i, got, want)
		}
	}
}
