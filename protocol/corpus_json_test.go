package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

var (
	anyJSON  = payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}}
	anyValue = payload.Profile{Decode: payload.Decode{Value: &payload.Value{}}}
)

// corpusDevice is where the messages of a case come from, at corpusNow.
var corpusDevice = &protocol.Device{Name: "case"}

const corpusNow protocol.Timestamp = 1498780179e9

// decodeCase decodes a message whose topic may name a metric.
func decodeCase(p payload.Profile, message []byte, metric string) ([]protocol.Reading, error) {
	d, err := payload.New(p)
	if err != nil {
		return nil, err
	}
	var b protocol.Batch
	err = d.Decode(&b, payload.Message{Payload: message, Device: corpusDevice, Received: corpusNow, Metric: metric})
	return b.Readings, err
}

// valueIn returns the value of a metric, none when there is no such metric.
func valueIn(r *protocol.Reading, name string) protocol.Value {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return r.Metrics[i].Value
		}
	}
	return protocol.Value{}
}

// judgeJSON holds a case against the grammar. Where the standard leaves room, half
// a character, a text that is not UTF-8 and too much nesting are refused, and what
// is taken is exact.
func judgeJSON(c corpusCase) error {
	var want struct{ Valid, Either bool }
	if c.Expected != nil {
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			return err
		}
	}
	readings, err := decodeCase(anyJSON, c.Inputs[0], "")
	reason := reasonOf(err)
	refused := slices.Contains([]string{"syntax", "utf8", "empty"}, reason)
	switch {
	case c.Error != nil && !refused && reason != "size":
		return fmt.Errorf("%q is not JSON, got %v, %v", c.Inputs[0], readings, err)
	case want.Valid && (refused || reason == "size"):
		return fmt.Errorf("%q is JSON, got %v", c.Inputs[0], err)
	case c.Error == nil && !want.Valid && !refused && reason != "size":
		return sameJSON(c.Inputs[0], readings)
	}
	return nil
}

// sameJSON holds the values of a flat list or object against the text itself. Of
// members with the same name the first one counts.
func sameJSON(text []byte, readings []protocol.Reading) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	open, err := d.Token()
	if err != nil {
		return err
	}
	want := map[string]string{}
	for i := 0; d.More(); i++ {
		name := fmt.Sprint(i)
		if open == json.Delim('{') {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name = token.(string)
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return err
		}
		if _, twice := want[name]; !twice {
			want[name] = fmt.Sprint(v)
		}
	}
	for name, value := range want {
		if got := valueIn(&readings[0], name).String(); got != strings.TrimSuffix(value, ".0") {
			return fmt.Errorf("%q is %s, want %s", name, got, value)
		}
	}
	if len(readings[0].Metrics) != len(want) {
		return fmt.Errorf("got %+v, want %v", readings[0].Metrics, want)
	}
	return nil
}

// judgeDevice looks for the values that the source of a case states.
func judgeDevice(c corpusCase) error {
	var config struct{ Topic string }
	if c.Config != nil {
		if err := json.Unmarshal(c.Config, &config); err != nil {
			return err
		}
	}
	p := anyJSON
	if in := c.Inputs[0]; c.Error == nil && in[0] != '{' && !bytes.HasPrefix(in, []byte(`"Time":`)) {
		p = anyValue
	}
	readings, err := decodeCase(p, c.Inputs[0], "")
	if c.Error != nil || !json.Valid(c.Inputs[0]) && c.Inputs[0][0] == '"' { // a brace is missing
		if reasonOf(err) != "syntax" {
			return fmt.Errorf("got %v, %v, want a refusal", readings, err)
		}
		return nil
	}
	if err != nil || c.Expected == nil {
		return err
	}
	var want struct{ Values, Payload map[string]any }
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	for name, value := range want.Values {
		if err := sameInDevice(p, c.Inputs[0], nameInDevice(name, config.Topic), value); err != nil {
			return err
		}
	}
	for name, value := range want.Payload {
		if err := sameInDevice(p, c.Inputs[0], name, value); err != nil {
			return err
		}
	}
	return nil
}

// nameInDevice maps the names of the peers: ioBroker puts a part of the topic in
// front of a dot, The Things Stack states the decoded payload alone.
func nameInDevice(name, topic string) string {
	if strings.HasPrefix(topic, "v3/") {
		return "uplink_message_decoded_payload_" + name
	}
	return name[strings.LastIndexByte(name, '.')+1:]
}

// sameInDevice decodes a message whose topic names a metric if the value has no
// name of its own. Peers take ON for true or 1; here the profile says so.
func sameInDevice(p payload.Profile, message []byte, name string, want any) error {
	if _, isBool := want.(bool); isBool || slices.Contains([]string{"ON", "OFF"}, string(message)) {
		p.Metrics = map[string]payload.Metric{name: {Type: "bool"}}
	}
	readings, err := decodeCase(p, message, "")
	if err == nil && valueIn(&readings[0], name).IsNull() || p.Metrics != nil {
		readings, err = decodeCase(p, message, name)
	}
	if err != nil {
		return err
	}
	v := valueIn(&readings[0], name)
	if n, ok := want.(float64); ok && v.Kind() == protocol.KindBool {
		want = n == 1
	}
	if !means(v, want) {
		return fmt.Errorf("%s is %v, want %v", name, v, want)
	}
	return nil
}

// means reports whether v is what encoding/json has as want.
func means(v protocol.Value, want any) bool {
	switch want := want.(type) {
	case float64:
		n, ok := v.Number()
		return ok && n == want
	case bool:
		return v == protocol.Bool(want)
	case string:
		return v == protocol.String(want)
	}
	return false
}

// judgePlain reads a bare value as the type that the case names. The peer reads
// the last one of several, which is a regular expression here, and keeps what it
// calls base64 as base64.
func judgePlain(c corpusCase) error {
	var config struct {
		DataType string `json:"data_type"`
	}
	var want struct{ Readings []struct{ Value any } }
	if err := errors.Join(json.Unmarshal(c.Config, &config), json.Unmarshal(c.Expected, &want)); err != nil {
		return err
	}
	types := map[string]string{"integer": "int", "boolean": "bool", "string": "string", "auto_integer": "", "auto_float": ""}
	t, ok := types[config.DataType]
	if !ok {
		return fmt.Errorf("no type %s", config.DataType)
	}
	p := anyValue
	if strings.Contains(path.Base(c.ID), "multiple") {
		p = payload.Profile{Decode: payload.Decode{Regex: `(?P<value>\S+)$`}}
	}
	p.Metrics = map[string]payload.Metric{"value": {Type: t}}
	readings, err := decodeCase(p, c.Inputs[0], "")
	if err != nil {
		return err
	}
	if v := readings[0].Metrics[0].Value; len(readings[0].Metrics) != 1 || !means(v, want.Readings[0].Value) {
		return fmt.Errorf("got %v, want %v", v, want.Readings)
	}
	return nil
}
