package sparkplug

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// every is a metric of each kind of value.
func every() []Metric {
	one := []protocol.Value{protocol.Bool(true), protocol.Bool(false)}
	return []Metric{
		{Name: "T", Type: Int32, Value: protocol.Int(-12), Unit: "°C", Quality: protocol.Bad, Time: at},
		{Name: "S", Type: String, Value: protocol.String("run"), Historical: true},
		{Name: "F", Type: Float, Value: protocol.Float(0.5)},
		{Name: "N", Type: Double},
		{Name: "A", Type: BooleanArray, Elements: one},
		{Name: "D", Type: DataSet, Table: &Table{Columns: []string{"c"}, Types: []DataType{Boolean}, Rows: [][]protocol.Value{one[:1], one[1:]}}},
		{Name: "P", Type: Template, Members: []Metric{{Name: "M", Type: UInt64, Value: protocol.Uint(math.MaxUint64)}}},
	}
}

// sane fails when a batch holds what no decoder may give.
func sane(t *testing.T, b *protocol.Batch, err error) {
	t.Helper()
	if err != nil {
		refusal, ok := errors.AsType[*protocol.Refusal](err)
		if !ok || !slices.Contains(protocol.Reasons(), refusal.Reason) || len(b.Readings) > 0 {
			t.Fatalf("%v, %d readings", err, len(b.Readings))
		}
		return
	}
	if len(b.Readings) == 0 {
		t.Fatal("no reading and no error")
	}
	for _, r := range b.Readings {
		if r.Device == nil || len(r.Device.Name) > 3*maxID+2 || len(r.Metrics) == 0 || len(r.Metrics) > maxMetrics {
			t.Fatalf("bad reading %+v", r)
		}
		names := map[string]bool{}
		for _, m := range r.Metrics {
			text := m.Value.Kind() != protocol.KindString || utf8.ValidString(m.Value.Text())
			if names[m.Name] || len(m.Name) > maxName || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Unit) || !text {
				t.Fatalf("bad metric %+v", m)
			}
			names[m.Name] = true
		}
	}
}

func FuzzDecode(f *testing.F) {
	e := NewEdge("g", "n")
	f.Add(e.AppendBirth(nil, "", at, every()))
	f.Add(e.AppendData(nil, "", at, every()))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := New(DefaultConfig())
		before := bytes.Clone(payload)
		var b protocol.Batch
		for _, k := range []Kind{NodeBirth, NodeData, DeviceBirth, DeviceData, DeviceDeath, NodeDeath} {
			topic := Topic{Kind: k, Group: "g", Node: "n", Device: "d"}
			b.Reset()
			err := d.Decode(&b, topic.String(), payload, at)
			sane(t, &b, err)
		}
		if !bytes.Equal(payload, before) {
			t.Fatal("the payload was changed")
		}
	})
}

// FuzzSession hears messages in a row: each a byte for the topic, one for the
// length, and the payload.
func FuzzSession(f *testing.F) {
	e := NewEdge("g", "n")
	var script []byte
	say := func(topic byte, payload []byte) {
		script = append(append(script, topic, byte(len(payload))), payload...)
	}
	say(0, e.AppendBirth(nil, "", at, temperature))
	say(4, e.AppendBirth(nil, "d", at, temperature))
	say(1, e.AppendData(nil, "", at, temperature))
	e.Skip()
	say(5, e.AppendData(nil, "d", at, temperature))
	say(6, e.AppendDeviceDeath(nil, at))
	say(2, e.AppendDeath(nil))
	say(9, AppendHostState(nil, true, at))
	f.Add(script)
	topics := []string{
		"spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/NDEATH/n", "spBv1.0/g/NCMD/n", "spBv1.0/g/DBIRTH/n/d",
		"spBv1.0/g/DDATA/n/d", "spBv1.0/g/DDEATH/n/d", "spBv1.0/g/DBIRTH/n/e", "spBv1.0/g/NDATA/m", "spBv1.0/STATE/h", "STATE/h", "x",
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		d := New(DefaultConfig())
		now := at
		var b protocol.Batch
		for len(script) >= 2 {
			topic, n := topics[int(script[0])%len(topics)], min(int(script[1]), len(script)-2)
			b.Reset()
			err := d.Decode(&b, topic, script[2:2+n], now)
			sane(t, &b, err)
			if to, command, ok := d.Reply(); ok && (!IsRebirth(command) || to != "spBv1.0/g/NCMD/n" && to != "spBv1.0/g/NCMD/m") {
				t.Fatalf("reply %x to %s", command, to)
			}
			if _, _, again := d.Reply(); again {
				t.Fatal("the reply comes again")
			}
			consistent(t, d)
			script = script[2+n:]
			now += sec
		}
	})
}

// consistent checks what the decoder counts.
func consistent(t *testing.T, d *Decoder) {
	t.Helper()
	sum := 0
	for _, n := range d.nodes.byKey {
		known := len(n.self.names)
		for _, s := range n.order {
			known += len(s.names)
		}
		if n.known != known || n.counted != known || len(n.devices) != len(n.order) {
			t.Fatalf("node knows %d, counts %d and %d", known, n.known, n.counted)
		}
		sum += known
	}
	if d.nodes.known != sum {
		t.Fatalf("nodes know %d, counted %d", sum, d.nodes.known)
	}
}

// FuzzWire holds our reading of the wire against the generated code.
func FuzzWire(f *testing.F) {
	e := NewEdge("g", "n")
	f.Add(e.AppendBirth(nil, "", at, every()))
	f.Add(e.AppendDeath(nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var want pb.Payload
		if proto.Unmarshal(payload, &want) != nil {
			return
		}
		// Written anew, so that no message stands in two parts to be merged.
		payload = appendPayload(nil, &want)
		var m message
		if !m.parse(payload) {
			t.Fatal("refused")
		}
		if m.stamp != want.GetTimestamp() || m.seq != want.GetSeq() || m.hasSeq != (want.Seq != nil) {
			t.Fatalf("got %+v, want %v", m, &want)
		}
		list := fields{left: payload}
		for _, metric := range want.Metrics {
			if !list.member(2) {
				t.Fatal("metrics are missing")
			}
			sameMetric(t, list.text, metric)
		}
	})
}

func sameMetric(t *testing.T, src []byte, want *pb.Metric) {
	t.Helper()
	var r rawMetric
	if !r.parse(src) {
		t.Fatal("metric refused")
	}
	if string(r.name) != want.GetName() || r.alias != want.GetAlias() || r.hasAlias != (want.Alias != nil) ||
		r.stamp != want.GetTimestamp() || r.datatype != DataType(want.GetDatatype()) ||
		r.historical != want.GetIsHistorical() || r.null != want.GetIsNull() {
		t.Fatalf("got %+v, want %v", r, want)
	}
	switch v := want.Value.(type) {
	case nil:
		same(t, r.value, raw{})
	case *pb.Metric_IntValue:
		same(t, r.value, raw{part: intPart, num: uint64(v.IntValue)})
	case *pb.Metric_LongValue:
		same(t, r.value, raw{part: longPart, num: v.LongValue})
	case *pb.Metric_FloatValue:
		same(t, r.value, raw{part: floatPart, num: uint64(math.Float32bits(v.FloatValue))})
	case *pb.Metric_DoubleValue:
		same(t, r.value, raw{part: doublePart, num: math.Float64bits(v.DoubleValue)})
	case *pb.Metric_BooleanValue:
		same(t, raw{part: r.value.part, num: min(r.value.num, 1)}, raw{part: boolPart, num: uint64(bit(v.BooleanValue))})
	case *pb.Metric_StringValue:
		same(t, r.value, raw{part: stringPart, text: []byte(v.StringValue)})
	case *pb.Metric_BytesValue:
		same(t, r.value, raw{part: bytesPart, text: v.BytesValue})
	case *pb.Metric_DatasetValue:
		var head table
		ok := head.read(r.value.text)
		if ok != (len(v.DatasetValue.Columns) == len(v.DatasetValue.Types)) || r.value.part != dataSetPart {
			t.Fatalf("head %v of %v", head, v.DatasetValue)
		}
	case *pb.Metric_TemplateValue:
		list := fields{left: r.value.text}
		for _, member := range v.TemplateValue.Metrics {
			if r.value.part != templatePart || !list.member(2) {
				t.Fatal("members are missing")
			}
			sameMetric(t, list.text, member)
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func same(t *testing.T, got, want raw) {
	t.Helper()
	if got.part != want.part || got.num != want.num || !bytes.Equal(got.text, want.text) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}
