package sparkplug

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// rebirth is the metric by which a host asks a node to be born again.
const rebirth = "Node Control/Rebirth"

// Edge is an edge node's side of a session: it numbers the messages and gives
// the metrics their aliases. Its payloads go to the topics that Topic names, with
// QoS 0 and not retained; the death is the will of the connection, with QoS 1.
// An Edge is owned by one goroutine.
type Edge struct {
	group, node string
	bdSeq       uint8
	seq         uint8
	next        uint64               // alias
	aliases     map[[2]string]uint64 // by device and metric
}

// NewEdge returns the node of that name before its first session.
func NewEdge(group, node string) *Edge {
	return &Edge{group: group, node: node, aliases: map[[2]string]uint64{}}
}

// Topic returns the topic for a kind of message; device is "" where the kind is
// of the node.
func (e *Edge) Topic(k Kind, device string) string {
	return Topic{Kind: k, Group: e.group, Node: e.node, Device: device}.String()
}

// Reconnect begins a new session. Its will is to be asked for before the node
// connects.
func (e *Edge) Reconnect() { e.bdSeq++ }

// Skip leaves out a number, as if a message were lost.
func (e *Edge) Skip() { e.seq++ }

// AppendDeath appends the node's death of this session, an NDEATH.
func (e *Edge) AppendDeath(dst []byte) []byte {
	return appendPayload(dst, &pb.Payload{Metrics: []*pb.Metric{e.session()}})
}

func (e *Edge) session() *pb.Metric {
	m := Metric{Name: bdSeq, Type: Int64, Value: protocol.Int(int64(e.bdSeq))}
	return m.message(noAlias, true)
}

// AppendBirth appends the birth of the node, an NBIRTH, when device is "",
// otherwise of the device, a DBIRTH. It numbers from 0 and adds what every node
// has to have.
func (e *Edge) AppendBirth(dst []byte, device string, at protocol.Timestamp, metrics []Metric) []byte {
	p := &pb.Payload{}
	if device == "" {
		e.seq, e.next = 0, 0
		clear(e.aliases)
		control := Metric{Name: rebirth, Type: Boolean, Value: protocol.Bool(false)}
		p.Metrics = append(p.Metrics, e.session(), control.message(noAlias, true))
	}
	for i := range metrics {
		key := [2]string{device, metrics[i].Name}
		alias, known := e.aliases[key]
		if !known {
			alias = e.next
			e.aliases[key] = alias
			e.next++
		}
		p.Metrics = append(p.Metrics, metrics[i].message(alias, true))
	}
	return e.append(dst, at, p)
}

// AppendData appends values, an NDATA when device is "", otherwise a DDATA.
// Metrics that were born are named by their alias.
func (e *Edge) AppendData(dst []byte, device string, at protocol.Timestamp, metrics []Metric) []byte {
	p := &pb.Payload{Metrics: make([]*pb.Metric, 0, len(metrics))}
	for i := range metrics {
		alias, known := e.aliases[[2]string{device, metrics[i].Name}]
		if !known {
			alias = noAlias
		}
		p.Metrics = append(p.Metrics, metrics[i].message(alias, false))
	}
	return e.append(dst, at, p)
}

// AppendDeviceDeath appends the death of a device, a DDEATH.
func (e *Edge) AppendDeviceDeath(dst []byte, at protocol.Timestamp) []byte {
	return e.append(dst, at, &pb.Payload{})
}

// append appends p with its time and number.
func (e *Edge) append(dst []byte, at protocol.Timestamp, p *pb.Payload) []byte {
	p.Timestamp, p.Seq = millis(at), proto.Uint64(uint64(e.seq))
	e.seq++
	return appendPayload(dst, p)
}

// AppendCommand appends values that a host wants a node or device to take, an
// NCMD or DCMD.
func AppendCommand(dst []byte, at protocol.Timestamp, metrics []Metric) []byte {
	p := &pb.Payload{Timestamp: millis(at)}
	for i := range metrics {
		p.Metrics = append(p.Metrics, metrics[i].message(noAlias, true))
	}
	return appendPayload(dst, p)
}

// AppendRebirth appends the NCMD by which a host asks for a rebirth.
func AppendRebirth(dst []byte, at protocol.Timestamp) []byte {
	return AppendCommand(dst, at, []Metric{{Name: rebirth, Type: Boolean, Value: protocol.Bool(true), Time: at}})
}

// IsRebirth reports whether an NCMD asks for a rebirth.
func IsRebirth(command []byte) bool {
	var p pb.Payload
	if proto.Unmarshal(command, &p) != nil {
		return false
	}
	for _, m := range p.Metrics {
		if m.GetName() == rebirth && m.GetBooleanValue() {
			return true
		}
	}
	return false
}

// AppendHostState appends the payload of STATE.
func AppendHostState(dst []byte, online bool, at protocol.Timestamp) []byte {
	return fmt.Appendf(dst, `{"online":%t,"timestamp":%d}`, online, *millis(at))
}

// appendPayload appends p. Metrics of our own making always marshal: fields of
// proto2 are not required, and its texts are not checked.
func appendPayload(dst []byte, p *pb.Payload) []byte {
	dst, _ = proto.MarshalOptions{Deterministic: true}.MarshalAppend(dst, p)
	return dst
}
