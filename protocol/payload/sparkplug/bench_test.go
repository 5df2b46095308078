package sparkplug

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// twenty is a node with 20 metrics: its birth and three messages of data in
// turn, which say seq 1 to 255, 0, 1, …
func twenty() (d *Decoder, e *Edge, data []Metric) {
	d, e = New(Config{Rebirth: Off}), NewEdge("plant", "line 1")
	for i := range 20 {
		m := Metric{Name: fmt.Sprintf("Zone %d/Temperature", i), Type: Double, Value: protocol.Float(20.5 + float64(i)), Unit: "°C"}
		switch i % 5 {
		case 1:
			m.Type, m.Value = Int32, protocol.Int(-int64(i))
		case 2:
			m.Type, m.Value = Boolean, protocol.Bool(true)
		case 3:
			m.Type, m.Value = String, protocol.String("running")
		}
		data = append(data, m)
	}
	var b protocol.Batch
	if err := d.Decode(&b, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", 1e18, data), 1); err != nil {
		panic(err)
	}
	for i := range data {
		data[i].Unit = ""
	}
	return d, e, data
}

// rounds returns the 256 messages that follow a birth.
func rounds(e *Edge, data []Metric) (messages [][]byte) {
	for range 256 {
		messages = append(messages, e.AppendData(nil, "", 1e18, data))
	}
	return messages
}

func BenchmarkDecodeNDATA20(b *testing.B) {
	d, e, data := twenty()
	messages, topic := rounds(e, data), e.Topic(NodeData, "")
	var batch protocol.Batch
	b.SetBytes(int64(len(messages[0])))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		batch.Reset()
		if err := d.Decode(&batch, topic, messages[i%256], 1); err != nil {
			b.Fatal(err)
		}
	}
	if len(batch.Readings) != 1 || len(batch.Readings[0].Metrics) != 20 || d.Gaps() != 0 {
		b.Fatalf("%d readings, %d gaps", len(batch.Readings), d.Gaps())
	}
}

// BenchmarkUnmarshalNDATA20 is what the generated code takes before anything
// is looked up.
func BenchmarkUnmarshalNDATA20(b *testing.B) {
	_, e, data := twenty()
	message := e.AppendData(nil, "", 1e18, data)
	var p pb.Payload
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		if err := proto.Unmarshal(message, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendNDATA20(b *testing.B) {
	_, e, data := twenty()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = e.AppendData(dst[:0], "", 1e18, data)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d, e, data := twenty()
	messages, topic := rounds(e, data), e.Topic(NodeData, "")
	var batch protocol.Batch
	i := 0
	allocs := testing.AllocsPerRun(500, func() {
		batch.Reset()
		if err := d.Decode(&batch, topic, messages[i%256], 1); err != nil {
			t.Fatal(err)
		}
		i++
	})
	if allocs != 0 {
		t.Errorf("decoding allocates %v times, want 0", allocs)
	}
}
