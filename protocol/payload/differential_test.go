package payload

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"sluice/protocol"
)

// fromHex returns the bytes that hexadecimal digits, with blanks, stand for.
func fromHex(t testing.TB, digits string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// flat is what another library makes of a message, under our names. It is not
// clear when two values have the same name, or one is of a type that the library
// does not give us as it was sent.
type flat struct {
	values map[string]protocol.Value
	clear  bool
}

func flatten(v any) flat {
	f := flat{map[string]protocol.Value{}, true}
	f.add("", v, true)
	return f
}

func (f *flat) add(name string, v any, root bool) {
	under := func(key string) string {
		if root {
			return key
		}
		return name + "_" + key
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for k, m := range v {
			f.add(under(k), m, false)
		}
	case map[any]any:
		for k, m := range v {
			switch k.(type) {
			case string, int64, uint64:
			default: // a tag
				f.clear = false
			}
			f.add(under(fmt.Sprint(k)), m, false)
		}
	case []any:
		for i, m := range v {
			f.add(under(strconv.Itoa(i)), m, false)
		}
	default:
		value, ok := valueOf(v)
		if name == "" {
			name = unnamed
		}
		_, twice := f.values[name]
		f.clear = f.clear && ok && !twice && len(name) <= maxName
		f.values[name] = value
	}
}

func valueOf(v any) (protocol.Value, bool) {
	switch v := v.(type) {
	case bool:
		return protocol.Bool(v), true
	case string:
		return protocol.String(v), true
	case []byte:
		return protocol.Bytes(string(v)), true
	case int64:
		if v < -mostExact || v > mostExact {
			return protocol.Int(v), true
		}
		return protocol.Float(float64(v) + 0), true
	case uint64:
		if v > math.MaxInt64 {
			return protocol.Uint(v), true
		}
		return valueOf(int64(v))
	case float32:
		return protocol.Float(float64(v) + 0), true
	case float64:
		return protocol.Float(v + 0), true
	case json.Number:
		d, ok := parseDecimal([]byte(v))
		n, fits := d.value()
		return n, ok && fits
	}
	return protocol.Value{}, false
}

// agree holds that d makes of message what f says.
func agree(t *testing.T, d Decoder, message string, f flat) {
	t.Helper()
	if !f.clear || len(f.values) == 0 || len(f.values) > maxMetrics {
		return
	}
	b := &protocol.Batch{}
	if err := d.Decode(b, Message{Payload: []byte(message), Device: device, Received: 7}); err != nil {
		if strings.HasPrefix(err.Error(), "size: ") {
			return
		}
		t.Fatalf("%x: %v, want %v", message, err, f.values)
	}
	got := b.Readings[0].Metrics
	if len(got) != len(f.values) {
		t.Fatalf("%x: got %+v, want %v", message, got, f.values)
	}
	for _, m := range got {
		if want := f.values[m.Name]; !same(m.Value, want) {
			t.Fatalf("%x: %s is %v (%v), want %v (%v)", message, m.Name, m.Value, m.Value.Kind(), want, want.Kind())
		}
	}
}

// same reports whether two values are the same, NaN being like NaN.
func same(a, b protocol.Value) bool {
	return a == b || a.Kind() == b.Kind() && math.IsNaN(a.Float()) && math.IsNaN(b.Float())
}

// agreeJSON holds d against encoding/json.
func agreeJSON(t *testing.T, d Decoder, message string) {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader([]byte(message)))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return
	}
	if sameTwice(message, formJSON) {
		return
	}
	agree(t, d, message, flatten(v))
}

// sameTwice reports whether an object of the message has a name twice: of those
// the last one counts in the other libraries.
func sameTwice(in string, f form) bool {
	d := document{}
	if d.parse([]byte(in), f) != nil {
		return true
	}
	for n := range d.nodes {
		seen := map[string]bool{}
		for i := d.firstOf(n); d.nodes[n].kind == objectNode && i < d.endOf(n); i = d.nextOf(n, i) {
			name := string(d.appendText(nil, i-1))
			if seen[name] {
				return true
			}
			seen[name] = true
		}
	}
	return false
}
