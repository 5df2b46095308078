package payload

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/protocol"
)

// bareLine reads a whole line as one value.
var bareLine = Profile{Decode: Decode{Regex: `^(?P<value>.+)$`}}

// TestDevices decodes messages as devices send them.
func TestDevices(t *testing.T) {
	text, err := os.ReadFile("testdata/devices.json")
	if err != nil {
		t.Fatal(err)
	}
	var devices []struct {
		Name    string
		Profile Profile
		Cases   []struct{ Payload, Metric, Want string }
	}
	if err := json.Unmarshal(text, &devices); err != nil || len(devices) == 0 {
		t.Fatalf("%d devices, %v", len(devices), err)
	}
	for _, dev := range devices {
		t.Run(dev.Name, func(t *testing.T) {
			d := decoder(t, dev.Profile)
			for _, c := range dev.Cases {
				if got := show(t, d, c.Payload, c.Metric); got != c.Want {
					t.Errorf("%q:\n got %s\nwant %s", c.Payload, got, c.Want)
				}
			}
		})
	}
}

// corpusCase is one case of the collection of public payloads that may lie
// beside the repository.
type corpusCase struct {
	ID     string
	Text   *string `json:"input_text"`
	Hex    string  `json:"input_hex"`
	Config struct {
		Topic    string
		DataType string `json:"data_type"`
	}
	Expected *struct {
		Valid           *bool
		Values, Payload map[string]any
		Readings        []struct {
			Value any
		}
	}
	Error *struct{ Reason string }
}

func TestCorpus(t *testing.T) {
	const root = "../../../shared/corpus"
	index, err := os.ReadFile(filepath.Join(root, "INDEX.json"))
	if err != nil {
		t.Logf("no corpus beside this clone, testdata alone was tried: %v", err)
		return
	}
	var list struct {
		Cases []struct {
			ID, Format string
			Input      any // a list where a case has several
		}
	}
	if err := json.Unmarshal(index, &list); err != nil {
		t.Fatal(err)
	}
	tried, other := map[string]int{}, map[string]int{}
	for _, at := range list.Cases {
		judge := map[string]func(*testing.T, corpusCase, string) bool{"json": judgeJSON, "device-json": judgeDevice, "plain-value": judgePlain}[at.Format]
		if judge == nil {
			continue
		}
		c, in := loadCase(t, root, at.Input.(string))
		c.ID = at.ID
		if judge(t, c, in) {
			tried[at.Format]++
		} else {
			other[at.Format]++
			t.Logf("%s is not for these decoders", c.ID)
		}
	}
	t.Logf("tried %v, not for these decoders %v", tried, other)
	if tried["json"] < 150 || tried["device-json"] < 100 || tried["plain-value"] < 9 {
		t.Errorf("tried only %v", tried)
	}
}

// loadCase reads what the index points to: a line of a file, or two files.
func loadCase(t *testing.T, root, at string) (c corpusCase, in string) {
	t.Helper()
	file, id, lined := strings.Cut(at, "#")
	raw, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	if !lined {
		expected, err := os.ReadFile(filepath.Join(root, file[:strings.Index(file, ".input.")]+".expected.json"))
		if err == nil {
			err = json.Unmarshal(expected, &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c, string(raw)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		c = corpusCase{}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.ID == id {
			break
		}
	}
	if c.Text != nil {
		return c, *c.Text
	}
	b, err := hex.DecodeString(c.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return c, string(b)
}

// judgeJSON holds a case against the grammar.
func judgeJSON(t *testing.T, c corpusCase, in string) bool {
	got := show(t, decoder(t, all), in, "")
	refused := slices.Contains([]string{"!syntax", "!utf8", "!empty"}, got)
	switch {
	case c.Error != nil && !refused:
		t.Errorf("%s: %q is not JSON, got %s", c.ID, in, got)
	case c.Error == nil && c.Expected.Valid != nil && refused:
		t.Errorf("%s: %q is JSON, got %s", c.ID, in, got)
	}
	return true
}

// judgeDevice looks for the values that the source of a case states.
func judgeDevice(t *testing.T, c corpusCase, in string) bool {
	p := all
	if in[0] != '{' && !json.Valid([]byte(in)) {
		p = bareLine
	}
	if c.Error != nil || strings.HasPrefix(in, `"Time":`) { // a brace is missing
		p = all
		if got := show(t, decoder(t, p), in, ""); got != "!syntax" {
			t.Errorf("%s: got %s, want a refusal", c.ID, got)
		}
		return true
	}
	got := decoded(t, p, in, filepath.Base(c.Config.Topic))
	if c.Expected == nil {
		return true
	}
	for name, want := range c.Expected.Values {
		name = name[strings.LastIndexByte(name, '.')+1:]
		if !slices.ContainsFunc(got, func(m protocol.Metric) bool {
			return (m.Name == name || strings.HasSuffix(m.Name, "_"+name)) && means(t, m.Value, want)
		}) {
			t.Errorf("%s: %s is not %v in %+v", c.ID, name, want, got)
		}
	}
	for _, want := range c.Expected.Payload { // the names are the peer's own
		if !slices.ContainsFunc(got, func(m protocol.Metric) bool { return means(t, m.Value, want) }) {
			t.Errorf("%s: no %v in %+v", c.ID, want, got)
		}
	}
	return true
}

// judgePlain reads a bare value as the type that the case names.
func judgePlain(t *testing.T, c corpusCase, in string) bool {
	types := map[string]string{"integer": "int", "boolean": "bool", "string": "string", "auto_integer": "int", "auto_float": ""}
	typ, ok := types[c.Config.DataType]
	if !ok { // base64
		return false
	}
	p := Profile{Decode: Decode{Regex: `(?P<value>\S+)$`}, Metrics: map[string]Metric{"value": {Type: typ}}}
	got := decoded(t, p, in, "")
	if len(got) != 1 || !means(t, got[0].Value, c.Expected.Readings[0].Value) {
		t.Errorf("%s: got %+v, want %+v", c.ID, got, c.Expected.Readings)
	}
	return true
}

func decoded(t *testing.T, p Profile, in, metric string) []protocol.Metric {
	t.Helper()
	b := &protocol.Batch{}
	if err := decoder(t, p).Decode(b, Message{Payload: []byte(in), Device: device, Received: 7, Metric: metric}); err != nil {
		t.Errorf("%q: %v", in, err)
		return nil
	}
	return b.Readings[0].Metrics
}

// means reports whether v is what JSON states as want, a switch's word or its
// number being a bool where the source has one.
func means(t *testing.T, v protocol.Value, want any) bool {
	t.Helper()
	n, isNumber := v.Number()
	switch want := want.(type) {
	case float64:
		on, ok := scalar{kind: bareText, src: []byte(v.String())}.bool()
		return isNumber && n == want || !isNumber && ok && on == (want == 1)
	case bool:
		on, ok := scalar{kind: bareText, src: []byte(v.String())}.bool()
		return ok && on == want
	}
	return v.String() == fmt.Sprint(want)
}
