package sparkplug

import (
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// hostile are messages of up to maxMessage that cost as much as one can.
func hostile() map[string][]byte {
	all := map[string][]byte{}
	var times, again, names pb.Payload
	for i := range maxMetrics {
		stamp := proto.Uint64(uint64(i + 1))
		value := &pb.Metric_BooleanValue{}
		times.Metrics = append(times.Metrics, &pb.Metric{Name: proto.String(number4(i)), Timestamp: stamp, Value: value})
		again.Metrics = append(again.Metrics, &pb.Metric{Name: proto.String(number4(i % 2048)), Timestamp: proto.Uint64(uint64(1 + i/2048)), Value: value})
		names.Metrics = append(names.Metrics, &pb.Metric{Name: proto.String(strings.Repeat("n", 240) + number4(i)), Value: value})
	}
	again.Metrics = append(again.Metrics[:3000:3000], again.Metrics[:1096]...)
	for name, p := range map[string]*pb.Payload{"times": &times, "again": &again, "names": &names} {
		all[name] = appendPayload(nil, p)
	}
	all["empty metrics"] = []byte(strings.Repeat("\x12\x00", maxMessage/2))
	all["bits"] = appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{{
		Name: proto.String("b"), Datatype: proto.Uint32(uint32(BooleanArray)),
		Value: &pb.Metric_BytesValue{BytesValue: []byte("\x00\x00\x40\x00" + strings.Repeat("\xff", 1<<19))}}}})
	all["groups"] = []byte(strings.Repeat("\x33", maxMessage))
	all["columns"] = appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{{
		Name:  proto.String("d"),
		Value: &pb.Metric_DatasetValue{DatasetValue: &pb.DataSet{Columns: make([]string, maxMessage/4)}}}}})
	return all
}

func number4(i int) string {
	return string([]byte{'0' + byte(i/1000%10), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)})
}

// TestHostileMessages decodes each as every kind; a birth and its data keep to a
// multiple of 16 of the message, or of the limit of 4096 metrics.
func TestHostileMessages(t *testing.T) {
	for name, payload := range hostile() {
		if len(payload) > maxMessage {
			t.Fatalf("%s has %d bytes", name, len(payload))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := New(DefaultConfig())
		var b protocol.Batch
		for _, topic := range []string{"spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/NDEATH/n"} {
			b.Reset()
			sane(t, &b, d.Decode(&b, topic, payload, at))
		}
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		if most := uint64(16*len(payload) + 2048*maxMetrics); used > most {
			t.Errorf("%s: %d bytes take %d bytes of memory, want at most %d", name, len(payload), used, most)
		}
		t.Logf("%s: %d bytes take %d", name, len(payload), used)
	}
}
