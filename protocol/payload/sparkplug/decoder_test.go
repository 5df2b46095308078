package sparkplug

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

const (
	ms  = protocol.Timestamp(time.Millisecond)
	sec = protocol.Timestamp(time.Second)
	at  = 1_700_000_000_000 * ms
)

// host is a decoder under test with what it was asked last.
type host struct {
	*Decoder
	received protocol.Timestamp
}

func newHost() *host { return &host{Decoder: New(DefaultConfig()), received: at} }

// hear decodes a message and returns the readings as lines, or the reason of
// the refusal; " ask" follows when a rebirth is asked for.
func (h *host) hear(t *testing.T, topic string, payload []byte) string {
	t.Helper()
	var b protocol.Batch
	before := string(payload)
	err := h.Decode(&b, topic, payload, h.received)
	if string(payload) != before {
		t.Error("the payload was changed")
	}
	var lines []string
	if err != nil {
		refusal, ok := errors.AsType[*protocol.Refusal](err)
		if !ok || len(b.Readings) > 0 {
			t.Errorf("%v is no refusal, or %d readings came with it", err, len(b.Readings))
		}
		lines = append(lines, refusal.Reason)
	}
	for i := range b.Readings {
		lines = append(lines, line(&b.Readings[i]))
	}
	text := strings.Join(lines, "\n")
	if _, command, ok := h.Reply(); ok {
		if !IsRebirth(command) {
			t.Errorf("the reply %x asks for no rebirth", command)
		}
		text += " ask"
	}
	return text
}

// line writes a reading: device, time in ms after at, metrics.
func line(r *protocol.Reading) string {
	var s strings.Builder
	s.WriteString(r.Device.Name)
	if r.SourceTime != 0 {
		fmt.Fprintf(&s, " @%d", (r.SourceTime-at)/ms)
	}
	if r.Historical {
		s.WriteString(" historical")
	}
	for _, m := range r.Metrics {
		fmt.Fprintf(&s, " %s=%v", m.Name, m.Value)
		if m.Unit != "" {
			s.WriteString(" " + m.Unit)
		}
		if m.Quality != protocol.Good {
			s.WriteString(" " + m.Quality.String())
		}
	}
	return s.String()
}

func (h *host) want(t *testing.T, topic string, payload []byte, want string) {
	t.Helper()
	if got := h.hear(t, topic, payload); got != want {
		t.Errorf("%s:\n got %s\nwant %s", topic, got, want)
	}
}

var temperature = []Metric{{Name: "T", Type: Int32, Value: protocol.Int(-12), Unit: "°C"}}

// site is an edge node that was born at a host, with a device.
type site struct {
	*host
	*Edge
	t *testing.T
}

func newSite(t *testing.T) site {
	s := site{newHost(), NewEdge("g", "n"), t}
	s.birth("", "g/n @0 T=-12 °C")
	s.birth("d", "g/n/d @0 T=-12 °C")
	return s
}

func (s site) birth(device, want string) {
	s.t.Helper()
	kind := NodeBirth
	if device != "" {
		kind = DeviceBirth
	}
	s.want(s.t, s.Topic(kind, device), s.AppendBirth(nil, device, at, temperature), want)
}

func (s site) data(device, want string, metrics ...Metric) {
	s.t.Helper()
	s.want(s.t, s.Topic(dataOf(device), device), s.AppendData(nil, device, at, metrics), want)
}

// aliased sends a number for an alias, whether it was born or not.
func (s site) aliased(device string, alias uint64, want string) {
	s.t.Helper()
	p := &pb.Payload{Seq: proto.Uint64(uint64(s.seq)), Metrics: []*pb.Metric{{Alias: &alias, Value: &pb.Metric_IntValue{IntValue: 5}}}}
	s.seq++
	s.want(s.t, s.Topic(dataOf(device), device), appendPayload(nil, p), want)
}

func dataOf(device string) Kind {
	if device == "" {
		return NodeData
	}
	return DeviceData
}

func number(v int64) Metric { return Metric{Name: "T", Type: Int32, Value: protocol.Int(v)} }

func TestAliasesAndUnits(t *testing.T) {
	s := newSite(t)
	s.data("", "g/n @0 T=-7 °C", number(-7))
	s.data("d", "g/n/d @0 T=8 °C", number(8))
	s.data("d", "g/n/d @5 T=9 °C uncertain\ng/n/d @4 historical T=8 °C",
		Metric{Name: "T", Type: Int32, Value: protocol.Int(9), Time: at + 5*ms, Quality: protocol.Uncertain},
		Metric{Name: "T", Type: Int32, Value: protocol.Int(8), Time: at + 4*ms, Historical: true})
	s.data("d", "g/n/d @0 T=2 °C", number(1), number(2))
	s.data("d", "missing", Metric{Name: "T", Type: Int32})
	device := s.nodes.newest.devices["d"].identity
	want := protocol.Device{Name: "g/n/d", Tags: []protocol.Tag{{Key: "edge_device", Value: "d"}, {Key: "group", Value: "g"}, {Key: "node", Value: "n"}}}
	if fmt.Sprint(*device) != fmt.Sprint(want) {
		t.Errorf("device is %v, want %v", *device, want)
	}
}

func TestGap(t *testing.T) {
	s := newSite(t)
	s.Skip()
	s.data("", "g/n @0 T=1 °C ask", number(1))
	s.data("", "g/n @0 T=2 °C", number(2))
	s.Skip()
	s.data("", "g/n @0 T=3 °C", number(3)) // asked a moment ago
	s.received += 19 * sec
	s.Skip()
	s.data("", "g/n @0 T=4 °C ask", number(4))
	if s.Gaps() != 3 {
		t.Errorf("%d gaps, want 3", s.Gaps())
	}
	// In order again, then an alias that nobody was told of: a birth was missed
	// and nothing is certain any more.
	s.aliased("", 99, "sequence")
	s.data("", "sequence", number(5))
	s.data("d", "sequence", number(5))
	s.data("", "g/n @0 X=true", Metric{Name: "X", Type: Boolean, Value: protocol.Bool(true)}) // says it all
	s.birth("", "g/n @0 T=-12 °C")
	s.data("", "g/n @0 T=5 °C", number(5))
	s.aliased("d", 1, "sequence")
	s.birth("d", "g/n/d @0 T=-12 °C")
	s.data("d", "g/n/d @0 T=6 °C", number(6))
}

func TestAliasThatWasNotBorn(t *testing.T) {
	s := newSite(t)
	s.aliased("", 99, "sequence ask")
	s.data("", "g/n @0 T=5 °C", number(5)) // nothing was missed: the node is wrong, not the aliases
}

func TestRedelivery(t *testing.T) {
	s := newSite(t)
	var topics []string
	var messages [][]byte
	for i := range int64(5) {
		topics = append(topics, s.Topic(NodeData, ""))
		messages = append(messages, s.AppendData(nil, "", at, []Metric{number(i)}))
	}
	for i := range messages {
		s.want(t, topics[i], messages[i], fmt.Sprintf("g/n @0 T=%d °C", i))
	}
	for i := range messages[2:] {
		s.want(t, topics[i], messages[2+i], fmt.Sprintf("g/n @0 T=%d °C", 2+i))
	}
	s.data("", "g/n @0 T=9 °C", number(9))
	if s.Gaps() != 0 {
		t.Errorf("%d gaps, want none", s.Gaps())
	}
}

func TestLateMessage(t *testing.T) {
	s := newSite(t)
	first := s.AppendData(nil, "", at, []Metric{number(1)})
	s.data("", "g/n @0 T=2 °C ask", number(2))
	s.want(t, s.Topic(NodeData, ""), first, "g/n @0 T=1 °C")
	s.data("", "g/n @0 T=3 °C", number(3))
	if s.Gaps() != 1 {
		t.Errorf("%d gaps, want 1", s.Gaps())
	}
}

func TestSequenceWraps(t *testing.T) {
	s := newSite(t)
	for i := range int64(600) {
		s.data("", fmt.Sprintf("g/n @0 T=%d °C", i), number(i))
	}
	if s.Gaps() != 0 {
		t.Errorf("%d gaps, want none", s.Gaps())
	}
}

func TestDeaths(t *testing.T) {
	s := newSite(t)
	s.want(t, s.Topic(DeviceDeath, "d"), s.AppendDeviceDeath(nil, at+7*ms), "g/n/d @7 T=null °C bad")
	s.data("d", "sequence ask", number(1))
	s.data("", "g/n @0 T=1 °C", number(1))
	s.birth("d", "g/n/d @0 T=-12 °C")
	s.data("d", "g/n/d @0 T=2 °C", number(2))
	will := s.AppendDeath(nil)
	s.want(t, s.Topic(NodeDeath, ""), will, "g/n T=null °C bad\ng/n/d T=null °C bad")
	s.want(t, s.Topic(NodeDeath, ""), will, "g/n T=null °C bad\ng/n/d T=null °C bad") // the pipeline may not have kept it
	s.received += 30 * sec
	s.data("", "sequence ask", number(1))
	s.data("d", "sequence", number(1))
	s.data("new", "sequence", number(1))
	s.Reconnect()
	s.birth("", "g/n @0 T=-12 °C")
	s.want(t, s.Topic(NodeDeath, ""), will, "sequence") // of the session before
	s.data("", "g/n @0 T=1 °C", number(1))
	s.received += 30 * sec
	s.aliased("d", 1, "sequence ask")
}

func TestHeardTooLate(t *testing.T) {
	h, e := newHost(), NewEdge("g", "n")
	e.AppendBirth(nil, "", at, temperature)
	h.want(t, e.Topic(NodeData, ""), e.AppendData(nil, "", at, []Metric{number(1)}), "sequence ask")
	named := []Metric{{Name: "N", Type: Int8, Value: protocol.Int(-1)}}
	h.want(t, e.Topic(NodeData, ""), e.AppendData(nil, "", at, named), "g/n @0 N=-1")
	h.received += 21 * sec
	untyped := &pb.Payload{Metrics: []*pb.Metric{{Name: proto.String("X"), Value: &pb.Metric_IntValue{}}}}
	h.want(t, e.Topic(NodeData, ""), appendPayload(nil, untyped), "sequence ask")
	h.want(t, e.Topic(DeviceBirth, "d"), e.AppendBirth(nil, "d", at, temperature), "g/n/d @0 T=-12 °C")
	h.want(t, e.Topic(NodeDeath, ""), e.AppendDeath(nil), "g/n N=null bad\ng/n/d T=null °C bad")
}

// TestRefusedBirth must not leave the aliases of the birth before.
func TestRefusedBirth(t *testing.T) {
	s := newSite(t)
	bad := []Metric{{Name: "U", Type: Int32, Value: protocol.Int(1)}, {Name: "V", Type: StringArray, Elements: []protocol.Value{protocol.String("\xff")}}}
	s.want(t, s.Topic(NodeBirth, ""), s.AppendBirth(nil, "", at, bad), "utf8")
	s.data("", "sequence ask", Metric{Name: "U", Type: Int32, Value: protocol.Int(2)})
	s.birth("", "g/n @0 T=-12 °C")
	s.want(t, s.Topic(NodeBirth, ""), []byte("\x08"), "syntax")
	s.data("", "sequence", number(1))
}

func TestRebirthOff(t *testing.T) {
	s := site{&host{Decoder: New(Config{Rebirth: Off}), received: at}, NewEdge("g", "n"), t}
	s.AppendBirth(nil, "", at, temperature)
	s.data("", "sequence", number(1))
}

// TestRebirthBacksOff is a node that does not count: it is left alone ever
// longer.
func TestRebirthBacksOff(t *testing.T) {
	s := newSite(t)
	asked := 0
	for range 24 * 60 {
		s.received += 60 * sec
		s.seq = 0
		if strings.HasSuffix(s.hear(t, s.Topic(NodeData, ""), s.AppendData(nil, "", s.received, temperature)), " ask") {
			asked++
			s.birth("", "g/n @0 T=-12 °C")
		}
	}
	if asked < 100 || asked > 200 {
		t.Errorf("asked %d times in a day", asked)
	}
}

func TestBounds(t *testing.T) {
	h := newHost()
	for i := range maxNodes + 10 {
		e := NewEdge("g", fmt.Sprint(i))
		h.hear(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, temperature))
	}
	if n := len(h.nodes.byKey); n != maxNodes {
		t.Errorf("%d nodes are kept, want %d", n, maxNodes)
	}
	if want := 3 * maxNodes; h.nodes.known != want {
		t.Errorf("%d metrics are counted, want %d", h.nodes.known, want)
	}
	e := NewEdge("g", "0")
	h.want(t, e.Topic(NodeData, ""), appendPayload(nil, &pb.Payload{Metrics: []*pb.Metric{{Alias: proto.Uint64(0), Value: &pb.Metric_IntValue{}}}}), "sequence ask")
	many := make([]Metric, maxMetrics-2)
	for i := range many {
		many[i] = Metric{Name: fmt.Sprint(i), Type: Boolean, Value: protocol.Bool(true)}
	}
	for i := range maxKnown/3000 + 2 {
		e := NewEdge("g", fmt.Sprint("big", i))
		if got := h.hear(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, many[:3000])); strings.HasPrefix(got, "size") {
			t.Fatal(got)
		}
	}
	if h.nodes.known > maxKnown {
		t.Errorf("%d metrics are known, want at most %d", h.nodes.known, maxKnown)
	}
	e = NewEdge("h", "n")
	h.hear(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, temperature))
	for i := range maxDevices {
		h.hear(t, e.Topic(DeviceBirth, fmt.Sprint(i)), e.AppendBirth(nil, fmt.Sprint(i), at, temperature))
	}
	h.want(t, e.Topic(DeviceData, "x"), e.AppendData(nil, "x", at, temperature), "size")
	h.want(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, append(many, temperature...)), "size")
	if got := h.hear(t, e.Topic(NodeBirth, ""), e.AppendBirth(nil, "", at, many)); strings.Count(got, "=") != len(many) {
		t.Errorf("a birth of %d metrics gives %d", len(many)+2, strings.Count(got, "="))
	}
}

func TestHosts(t *testing.T) {
	h := newHost()
	h.want(t, "spBv1.0/STATE/scada", AppendHostState(nil, true, at), "scada @0 online=true")
	h.want(t, "spBv1.0/STATE/scada", []byte(`{"online":false,"timestamp":1700000000001}`), "scada @1 online=false")
	h.want(t, "STATE/scada", []byte("OFFLINE"), "scada online=false")
	h.want(t, "STATE/scada", []byte("ONLINE\n"), "scada online=true")
	h.want(t, "STATE/scada", nil, "empty")
	h.want(t, "STATE/scada", []byte("yes"), "syntax")
	h.want(t, "STATE/scada", []byte(`{"timestamp":1}`), "missing")
	h.want(t, "STATE/scada", []byte("{\"online\":true,\"x\":\"\xff\"}"), "utf8")
	h.want(t, "STATE/scada", []byte(`{"online":true,"timestamp":18446744073709551615}`), "time")
}

func TestCommandsAndTopics(t *testing.T) {
	h, e := newHost(), NewEdge("g", "n")
	h.want(t, e.Topic(NodeCommand, ""), AppendRebirth(nil, at), "kind")
	h.want(t, e.Topic(DeviceCommand, "d"), AppendCommand(nil, at, temperature), "kind")
	for topic, want := range map[string]string{
		"": "kind", "x": "kind", "spAv1.0/g/NDATA/n": "kind", "spBv1.0/g/XDATA/n": "kind", "spBv1.0/g/STATE/n": "kind",
		"spBv1.0": "kind", "spBv1.0/g/NDATA": "syntax", "spBv1.0/g/NDATA/": "syntax", "spBv1.0/g/NDATA/n/d": "syntax",
		"spBv1.0/g/DDATA/n": "syntax", "spBv1.0/g/DDATA/n/": "syntax", "spBv1.0/g/DDATA/n/d/e": "syntax", "spBv1.0//NDATA/n": "syntax",
		"STATE/a/b": "syntax", "STATE": "syntax", "spBv1.0/STATE/": "syntax", "spBv1.0/g/NDATA/\xff": "utf8",
		"spBv1.0/g/NDATA/" + strings.Repeat("n", 257): "size",
	} {
		h.want(t, topic, AppendRebirth(nil, at), want)
	}
	for _, topic := range []string{"spBv1.0/g/DDATA/n/d", "spBv1.0/STATE/NBIRTH/n", "spBv1.0/STATE/h", "spBv1.0/g/NDEATH/n"} {
		if got, err := ParseTopic(topic); err != nil || got.String() != topic {
			t.Errorf("%q reads as %v, %v", topic, got, err)
		}
	}
}
