package mqtt

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/drivers/drivertest"
	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/sparkplug"
)

var plainSparkplug = payload.Profile{Decode: payload.Decode{Sparkplug: &sparkplug.Config{}}}

// edgeNode is a Sparkplug edge node with one device, on the MQTT library.
type edgeNode struct {
	t      *testing.T
	client paho.Client
	conn   net.Conn // under the client

	mu      sync.Mutex // guards what follows: the library's goroutine bears again
	edge    *sparkplug.Edge
	ended   bool // the test is over
	births  int
	reading int64
}

func newEdgeNode(t *testing.T, broker string) *edgeNode {
	n := &edgeNode{t: t, edge: sparkplug.NewEdge("plant", "line")}
	o := paho.NewClientOptions().AddBroker(broker).SetClientID("line").SetAutoReconnect(false)
	o.SetBinaryWill(n.edge.Topic(sparkplug.NodeDeath, ""), n.edge.AppendDeath(nil), 1, false)
	o.SetCustomOpenConnectionFn(func(u *url.URL, _ paho.ClientOptions) (conn net.Conn, err error) {
		n.conn, err = net.Dial("tcp", u.Host)
		return n.conn, err
	})
	n.client = paho.NewClient(o)
	n.await(n.client.Connect())
	n.await(n.client.Subscribe(n.edge.Topic(sparkplug.NodeCommand, ""), 1, n.command))
	t.Cleanup(n.end)
	return n
}

func (n *edgeNode) await(token paho.Token) {
	n.t.Helper()
	if !token.WaitTimeout(drivertest.Patience) || token.Error() != nil {
		n.t.Fatalf("edge node: %v", token.Error())
	}
}

// command is called by the library for an NCMD. It waits for nothing.
func (n *edgeNode) command(_ paho.Client, m paho.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if sparkplug.IsRebirth(m.Payload()) && !n.ended {
		n.bear()
	}
}

func (n *edgeNode) birth() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bear()
}

// bear is called under mu.
func (n *edgeNode) bear() {
	n.births++
	for _, device := range []string{"", "pump"} {
		kind := sparkplug.NodeBirth
		if device != "" {
			kind = sparkplug.DeviceBirth
		}
		n.client.Publish(n.edge.Topic(kind, device), 0, false, n.edge.AppendBirth(nil, device, protocol.At(time.Now()), n.metrics()))
	}
}

// metrics is called under mu.
func (n *edgeNode) metrics() []sparkplug.Metric {
	n.reading++
	return []sparkplug.Metric{{Name: "Speed", Type: sparkplug.Int16, Value: protocol.Int(-n.reading), Unit: "rpm"}}
}

// data publishes a value of the device, after leaving out some numbers.
func (n *edgeNode) data(skip int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for range skip {
		n.edge.Skip()
	}
	metrics := n.metrics()
	metrics[0].Unit = "" // the birth has said it
	n.client.Publish(n.edge.Topic(sparkplug.DeviceData, "pump"), 0, false, n.edge.AppendData(nil, "pump", protocol.At(time.Now()), metrics))
}

func (n *edgeNode) born() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.births
}

func (n *edgeNode) end() {
	n.mu.Lock()
	n.ended = true
	n.mu.Unlock()
	n.client.Disconnect(0)
}

// TestSparkplug is the life of an edge node: it is born, loses a message, is
// asked for its rebirth, and dies.
func TestSparkplug(t *testing.T) {
	broker := drivertest.StartMosquitto(t)
	d, status := newTestDriver(t, broker.URL(), nil,
		Device{Topic: "spBv1.0/#", Profile: "line", Decode: &plainSparkplug, Tags: []protocol.Tag{{Key: "hall", Value: "2"}}})
	e := drivertest.NewEmitter(t)
	stop := run(t, d, status, e)
	node := newEdgeNode(t, "tcp://"+broker.Addr())
	node.birth()
	e.Wait(2)
	node.data(0)
	e.Wait(3)
	if n := node.born(); n != 1 {
		t.Errorf("%d births before anything was missed, want 1", n)
	}
	node.data(1)
	e.Wait(6) // the value, and the births that were asked for
	node.data(0)
	e.Wait(7)
	node.conn.Close()
	got := e.Wait(9)
	stopped(t, stop)
	if n := node.born(); n != 2 {
		t.Errorf("%d births, want 2", n)
	}
	var lines []string
	for _, r := range got {
		lines = append(lines, sparkplugLine(r))
	}
	want := []string{
		"plant/line Speed=-1 rpm good", "plant/line/pump Speed=-2 rpm good",
		"plant/line/pump Speed=-3 rpm good",
		"plant/line/pump Speed=-4 rpm good",
		"plant/line Speed=-5 rpm good", "plant/line/pump Speed=-6 rpm good",
		"plant/line/pump Speed=-7 rpm good",
		"plant/line Speed=null rpm bad", "plant/line/pump Speed=null rpm bad",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	tags := "[{edge_device pump} {group plant} {hall 2} {node line}]"
	if dev := got[1].Device; dev.Driver != "floor" || dev.Profile != "line" || fmt.Sprint(dev.Tags) != tags {
		t.Errorf("device is %+v, want tags %s", *dev, tags)
	}
	if e.Rejected()[drivertest.Rejection{Reason: "kind"}] == 0 {
		t.Errorf("the command on its way to the node was not rejected: %v", e.Rejected())
	}
}

func sparkplugLine(r protocol.Reading) string {
	m := r.Metrics[0]
	return fmt.Sprintf("%s %s=%v %s %v", r.Device.Name, m.Name, m.Value, m.Unit, m.Quality)
}
