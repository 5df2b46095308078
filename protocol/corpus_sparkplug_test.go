package protocol_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug"
	"sluice/protocol/payload/sparkplug/pb"
)

// sparkplugReading is how the corpus writes a metric.
type sparkplugReading struct {
	Name, Datatype, Type, Unit string
	Value                      any
	Time                       *struct{ Value any }
}

type sparkplugExpected struct {
	Readings []sparkplugReading
	Seq      *uint64
	Time     *struct{ Value any }
	Protobuf json.RawMessage

	Datatype uint32 // of an array
	Values   []json.Number

	MessageType string `json:"message_type"`
	MetricCount int    `json:"metric_count"`

	Steps []struct {
		Step     int
		Node     string
		Readings []sparkplugReading
		Gap      *struct{}
	}
}

func judgeSparkplug(c corpusCase) error {
	if c.Group == "topics" {
		return judgeSparkplugTopic(c)
	}
	var want sparkplugExpected
	if err := decodeNumbers(c.Expected, &want); err != nil {
		return err
	}
	switch c.Group {
	case "arrays":
		return judgeSparkplugArray(c, want)
	case "sessions":
		return judgeSparkplugSession(c, want)
	case "umh":
		return judgeSparkplugVector(c, want)
	case "spec", "types":
		return judgeSparkplugMessage(c, want)
	}
	return fmt.Errorf("group %s is not known", c.Group)
}

// decodeNumbers decodes JSON and keeps numbers exact.
func decodeNumbers(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func judgeSparkplugTopic(c corpusCase) error {
	got, err := sparkplug.ParseTopic(string(c.Inputs[0]))
	if c.Error != nil {
		if err == nil {
			return fmt.Errorf("read as %+v, want a refusal", got)
		}
		return nil
	}
	var want struct{ Group, Type, Node, Device string }
	if err := errors.Join(err, json.Unmarshal(c.Expected, &want)); err != nil {
		return err
	}
	if want.Group == "" { // the source does not state it
		want.Group = got.Group
	}
	if got.Group != want.Group || got.Kind.String() != want.Type || got.Node != want.Node || got.Device != want.Device {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	return nil
}

func judgeSparkplugArray(c corpusCase, want sparkplugExpected) error {
	if c.ID == "sparkplug/spec-array-int8array" {
		// A slip of the specification, whose text makes -23 of EF. Two's
		// complement of EF is -17; -23 would be E9.
		want.Values[0] = "-17"
	}
	m := &pb.Metric{Name: proto.String("a"), Datatype: &want.Datatype, Value: &pb.Metric_BytesValue{BytesValue: c.Inputs[0]}}
	payload, err := proto.Marshal(&pb.Payload{Metrics: []*pb.Metric{m}})
	if err != nil {
		return err
	}
	var readings []sparkplugReading
	for i, v := range want.Values {
		readings = append(readings, sparkplugReading{Name: fmt.Sprint("a_", i), Value: v})
	}
	return heardAs(sparkplug.New(sparkplug.DefaultConfig()), "spBv1.0/g/NDATA/n", payload, readings)
}

// judgeSparkplugMessage hears one message from a node that was not heard before.
func judgeSparkplugMessage(c corpusCase, want sparkplugExpected) error {
	var config struct{ Topic string }
	if len(c.Config) > 0 {
		if err := json.Unmarshal(c.Config, &config); err != nil {
			return err
		}
	}
	if config.Topic == "" {
		config.Topic = "spBv1.0/g/NDATA/n"
	}
	if err := sameProtobuf(c.Inputs[0], want); err != nil {
		return err
	}
	return heardAs(sparkplug.New(sparkplug.DefaultConfig()), config.Topic, c.Inputs[0], want.Readings)
}

// judgeSparkplugVector hears a message after the birth that belongs to it.
func judgeSparkplugVector(c corpusCase, want sparkplugExpected) error {
	if err := sameProtobuf(c.Inputs[0], want); err != nil {
		return err
	}
	d := sparkplug.New(sparkplug.DefaultConfig())
	birth, err := os.ReadFile(filepath.Join(c.Dir, "umh-nbirth-v1.input.bin"))
	if err != nil {
		return err
	}
	temperature := func(v float64) []sparkplugReading {
		return []sparkplugReading{{Name: "Temperature", Value: v, Datatype: "Double"}}
	}
	if err := heardAs(d, "spBv1.0/g/NBIRTH/n", birth, temperature(21.5)); err != nil {
		return err
	}
	switch want.MessageType {
	case "NBIRTH":
		return nil
	case "NDATA":
		return heardAs(d, "spBv1.0/g/NDATA/n", c.Inputs[0], temperature(22.5))
	case "NDEATH": // of session 0, the birth is of 88
		return refusedAs(d, "spBv1.0/g/NDEATH/n", c.Inputs[0], "sequence")
	}
	return fmt.Errorf("message type %q is not known", want.MessageType)
}

func judgeSparkplugSession(c corpusCase, want sparkplugExpected) error {
	d := sparkplug.New(sparkplug.DefaultConfig())
	lines := bufio.NewScanner(bytes.NewReader(c.Inputs[0]))
	for step := 0; lines.Scan(); step++ {
		var m struct {
			Topic   string
			Payload string `json:"payload_hex"`
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return err
		}
		payload, err := hex.DecodeString(m.Payload)
		if err != nil {
			return err
		}
		at := len(want.Steps)
		for i := range want.Steps {
			if want.Steps[i].Step == step {
				at = i
			}
		}
		if at == len(want.Steps) {
			d.Decode(&protocol.Batch{}, m.Topic, payload, 1)
			d.Reply()
			continue
		}
		w := want.Steps[at]
		switch {
		case w.Node == "offline":
			// The node has no metric that could go stale: its data shows.
			data := []byte("\x12\x07\x0a\x01x\x20\x0b\x70\x01")
			if err := heardAs(d, "spBv1.0/TestGroup/NDATA/TestNode", data, []sparkplugReading{{Name: "x", Value: true}}); err != nil {
				return fmt.Errorf("before the death: %w", err)
			}
			d.Decode(&protocol.Batch{}, m.Topic, payload, 1)
			err = refusedAs(d, "spBv1.0/TestGroup/NDATA/TestNode", data, "sequence")
		default:
			err = heardAs(d, m.Topic, payload, w.Readings)
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
		if w.Gap != nil {
			if _, _, asked := d.Reply(); d.Gaps() != 1 || !asked {
				return fmt.Errorf("step %d: %d gaps, asked for rebirth: %t", step, d.Gaps(), asked)
			}
		}
	}
	return nil
}

// sameProtobuf compares a payload with how the case writes it as JSON.
func sameProtobuf(payload []byte, want sparkplugExpected) error {
	var p pb.Payload
	if err := proto.Unmarshal(payload, &p); err != nil {
		return err
	}
	if want.Seq != nil && p.GetSeq() != *want.Seq {
		return fmt.Errorf("seq is %d, want %d", p.GetSeq(), *want.Seq)
	}
	if want.Time != nil && fmt.Sprint(want.Time.Value) != strconv.FormatUint(p.GetTimestamp(), 10) {
		return fmt.Errorf("time is %d, want %v", p.GetTimestamp(), want.Time.Value)
	}
	if want.MetricCount != 0 && len(p.Metrics) != want.MetricCount {
		return fmt.Errorf("%d metrics, want %d", len(p.Metrics), want.MetricCount)
	}
	if want.Protobuf == nil {
		return nil
	}
	text, err := protojson.Marshal(&p)
	if err != nil {
		return err
	}
	var a, b map[string]any
	if err := errors.Join(json.Unmarshal(text, &a), json.Unmarshal(want.Protobuf, &b)); err != nil {
		return err
	}
	for _, m := range b["metrics"].([]any) {
		m := m.(map[string]any)
		delete(m, "value") // the name of the field that holds it
		if f, ok := m["floatValue"].(float64); ok {
			// protojson writes the shortest text for a float32.
			m["floatValue"], _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
		}
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("got %v, want %v", a, b)
	}
	return nil
}

// heard is when messages are received, long after those before.
const heard = protocol.Timestamp(time.Hour)

func refusedAs(d *sparkplug.Decoder, topic string, payload []byte, reason string) error {
	err := d.Decode(&protocol.Batch{}, topic, payload, heard)
	if refusal, ok := errors.AsType[*protocol.Refusal](err); !ok || refusal.Reason != reason {
		return fmt.Errorf("got %v, want a refusal for %s", err, reason)
	}
	return nil
}

// heardAs compares what a message gives with the readings of a case, in order.
// bdSeq and what begins with Node Control/ must not be among ours: they hold the
// session together and are no measurements.
func heardAs(d *sparkplug.Decoder, topic string, payload []byte, want []sparkplugReading) error {
	var b protocol.Batch
	if err := d.Decode(&b, topic, payload, heard); err != nil {
		return err
	}
	type found struct {
		protocol.Metric
		at protocol.Timestamp
	}
	var got []found
	for _, r := range b.Readings {
		for _, m := range r.Metrics {
			got = append(got, found{m, r.SourceTime})
		}
	}
	for _, w := range want {
		if w.Name == "bdSeq" || strings.HasPrefix(w.Name, "Node Control/") {
			continue
		}
		if len(got) == 0 {
			return fmt.Errorf("%s is missing", w.Name)
		}
		g := got[0]
		got = got[1:]
		if err := sameSparkplug(g.Metric, g.at, w); err != nil {
			return err
		}
	}
	if len(got) > 0 {
		return fmt.Errorf("%s is too many", got[0].Name)
	}
	return nil
}

func sameSparkplug(got protocol.Metric, at protocol.Timestamp, want sparkplugReading) error {
	value := got.Value.String()
	if want.Datatype == "Float" {
		value = strconv.FormatFloat(got.Value.Float(), 'g', -1, 32)
	}
	kinds := map[string]protocol.Kind{
		"float": protocol.KindFloat, "uint": protocol.KindUint, "bool": protocol.KindBool, "string": protocol.KindString,
		"timestamp": protocol.KindInt, "int": protocol.KindInt, "": got.Value.Kind(),
	}
	kind, known := kinds[want.Type]
	if want.Type == "int" && strings.HasPrefix(want.Datatype, "UInt") {
		kind = protocol.KindUint // the source has one kind of integers
	}
	switch {
	case got.Name != want.Name, value != fmt.Sprint(want.Value), !known || got.Value.Kind() != kind, got.Unit != want.Unit:
		return fmt.Errorf("got %s = %s (%v) %s, want %+v", got.Name, value, got.Value.Kind(), got.Unit, want)
	case want.Time != nil && fmt.Sprint(want.Time.Value) != strconv.FormatInt(int64(at)/int64(time.Millisecond), 10):
		return fmt.Errorf("%s is of %d, want %v", got.Name, at, want.Time.Value)
	}
	return nil
}
