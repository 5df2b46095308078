package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

var (
	anyCBOR    = payload.Profile{Decode: payload.Decode{CBOR: &payload.CBOR{}}}
	anyMsgPack = payload.Profile{Decode: payload.Decode{MsgPack: &payload.MsgPack{}}}
)

// judgeCBOR holds the vectors of RFC 8949.
func judgeCBOR(c corpusCase) error {
	readings, err := decodeCase(anyCBOR, c.Inputs[0], "")
	if c.Error != nil {
		if reasonOf(err) != "syntax" {
			return fmt.Errorf("got %v, %v, want a refusal", readings, err)
		}
		return nil
	}
	var want struct {
		Decoded    any
		Type       string `json:"decoded_json_type"`
		Diagnostic string
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	switch {
	case want.Diagnostic == "NaN":
		want.Decoded = math.NaN()
	case want.Diagnostic == "h''":
		return wantOne(readings, err, protocol.Bytes(""))
	case want.Diagnostic != "":
		return fmt.Errorf("what is %s?", want.Diagnostic)
	case want.Type == "int":
		return sameInteger(anyCBOR, c.Inputs[0], fmt.Sprint(want.Decoded), "int")
	case want.Type == "uint":
		return sameInteger(anyCBOR, c.Inputs[0], want.Decoded.(string), "uint")
	}
	return sameTree(readings, err, want.Decoded)
}

// sameInteger holds an integer, read as the type of that name.
func sameInteger(p payload.Profile, message []byte, want, kind string) error {
	p.Metrics = map[string]payload.Metric{"value": {Type: kind}}
	readings, err := decodeCase(p, message, "")
	if err != nil {
		return err
	}
	if v := readings[0].Metrics[0].Value; v.Kind().String() != kind || v.String() != want {
		return fmt.Errorf("got %v, want %s", v, want)
	}
	return nil
}

// wantOne holds a message that is one value.
func wantOne(readings []protocol.Reading, err error, want protocol.Value) error {
	if err != nil {
		return err
	}
	if len(readings) != 1 || len(readings[0].Metrics) != 1 || readings[0].Metrics[0].Value != want {
		return fmt.Errorf("got %+v, want %v", readings, want)
	}
	return nil
}

// sameTree holds all values of a message against what encoding/json has as want;
// nothing but null and what is empty gives no reading.
func sameTree(readings []protocol.Reading, err error, want any) error {
	leaves := map[string]any{}
	leavesOf("", want, leaves)
	if len(leaves) == 0 {
		if reasonOf(err) != "missing" {
			return fmt.Errorf("got %v, %v, want no reading", readings, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if len(readings) != 1 || len(readings[0].Metrics) != len(leaves) {
		return fmt.Errorf("got %+v, want %v", readings, leaves)
	}
	for name, leaf := range leaves {
		v := valueIn(&readings[0], name)
		if f, ok := leaf.(float64); ok && math.IsNaN(f) && math.IsNaN(v.Float()) {
			continue
		}
		if !means(v, leaf) {
			return fmt.Errorf("%s is %v, want %v", name, v, leaf)
		}
	}
	return nil
}

// leavesOf finds the scalars under our names.
func leavesOf(name string, v any, to map[string]any) {
	under := func(key string) string {
		if name == "" {
			return key
		}
		return name + "_" + key
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for k, m := range v {
			leavesOf(under(k), m, to)
		}
	case []any:
		for i, m := range v {
			leavesOf(under(strconv.Itoa(i)), m, to)
		}
	default:
		if name == "" {
			name = "value"
		}
		to[name] = v
	}
}

// judgeMsgPack holds the test suite of MessagePack.
func judgeMsgPack(c corpusCase) error {
	var want struct {
		Type        string
		Value       any
		Hex         string
		DataHex     string `json:"data_hex"`
		Seconds     string
		Nanoseconds int64
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	readings, err := decodeCase(anyMsgPack, c.Inputs[0], "")
	switch want.Type {
	case "integer":
		kind := "int"
		if _, err := strconv.ParseInt(want.Value.(string), 10, 64); err != nil {
			kind = "uint"
		}
		return sameInteger(anyMsgPack, c.Inputs[0], want.Value.(string), kind)
	case "bytes", "ext":
		content, bad := hex.DecodeString(want.Hex + want.DataHex)
		return errors.Join(bad, wantOne(readings, err, protocol.Bytes(string(content))))
	case "timestamp":
		seconds, bad := strconv.ParseInt(want.Seconds, 10, 64)
		at := time.Unix(seconds, want.Nanoseconds).UTC().Format(time.RFC3339Nano)
		return errors.Join(bad, wantOne(readings, err, protocol.String(at)))
	}
	return sameTree(readings, err, want.Value)
}

// senmlNow is now for the authors of example 7.
const senmlNow = 1499109309

// senmlResolved is a record as the RFC's authors resolve it.
type senmlResolved struct {
	Name, Unit string
	Value      any
	Time       *struct{ Value float64 }
}

// judgeSenML holds the examples of RFC 8428, resolved by its authors, and the
// rules that the tests of peers state.
func judgeSenML(c corpusCase) error {
	readings, err := decodeCase(payload.Profile{Decode: payload.Decode{SenML: &payload.SenML{}}}, c.Inputs[0], "")
	if c.Error != nil {
		if reasonOf(err) != "syntax" {
			return fmt.Errorf("got %v, %v, want a refusal", readings, err)
		}
		return nil
	}
	var want struct {
		Valid    bool
		Sums     []float64
		Readings *[]senmlResolved
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	if want.Readings != nil && len(*want.Readings) == 0 {
		if reasonOf(err) != "missing" {
			return fmt.Errorf("got %v, %v, want no reading", readings, err)
		}
		return nil
	}
	if err != nil || want.Valid {
		return err
	}
	if want.Readings == nil {
		return sameSums(readings, want.Sums)
	}
	return sameRecords(readings, *want.Readings)
}

// sameSums holds the sums of the metrics temp and that without a name.
func sameSums(readings []protocol.Reading, want []float64) error {
	var sums []float64
	for _, r := range readings {
		for _, m := range r.Metrics {
			if m.Name == "dev123temp_sum" || m.Name == "dev123_sum" {
				sums = append(sums, m.Value.Float())
			}
		}
	}
	if !slices.Equal(sums, want) {
		return fmt.Errorf("sums %v, want %v", sums, want)
	}
	return nil
}

// sameRecords holds all metrics by name and time.
func sameRecords(readings []protocol.Reading, want []senmlResolved) error {
	records := map[string]protocol.Metric{}
	for _, r := range readings {
		for _, m := range r.Metrics {
			records[fmt.Sprintf("%s %.3f", m.Name, float64(r.Time())/1e9)] = m
		}
	}
	delete(records, fmt.Sprintf("urn:dev:ow:10e2073a01080063:nfv-reader %.3f", float64(corpusNow)/1e9)) // bytes, which the authors' tool leaves out
	if len(records) != len(want) {
		return fmt.Errorf("got %v, want %v", records, want)
	}
	for _, w := range want {
		at := float64(corpusNow) / 1e9
		if w.Time != nil && w.Time.Value != senmlNow {
			at = w.Time.Value
		}
		if w.Unit == "Cel" {
			w.Unit = "°C"
		}
		key := fmt.Sprintf("%s %.3f", w.Name, at)
		if m := records[key]; !means(m.Value, w.Value) || m.Unit != w.Unit {
			return fmt.Errorf("%s is %v %s, want %v %s", key, m.Value, m.Unit, w.Value, w.Unit)
		}
	}
	return nil
}
