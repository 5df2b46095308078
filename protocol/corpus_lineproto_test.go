package protocol_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload/lineproto"
)

// linePoint is a line as the cases state it.
type linePoint struct {
	Measurement string
	Tags        json.RawMessage // pairs, or an object
	Fields      []struct {
		Name  string
		Value json.RawMessage
		Type  string
	}
	Time struct{ Value string }
}

// judgeLineproto holds the decoder against cases of decoding, and against the
// lines that encoders are to write: those must read back as what was encoded.
func judgeLineproto(c corpusCase) error {
	if strings.HasPrefix(c.Group, "encode") {
		return judgeWrittenLine(c)
	}
	var config struct {
		Precision string
		Default   string `json:"default_time_ns"`
	}
	if c.Config != nil {
		if err := json.Unmarshal(c.Config, &config); err != nil {
			return err
		}
	}
	b, err := readLineproto(c.Inputs[0], config.Precision)
	if c.Error != nil {
		return wantRefusal(b, err)
	}
	var want struct{ Points []linePoint }
	if err := cmp.Or(err, json.Unmarshal(c.Expected, &want)); err != nil {
		return err
	}
	if len(b.Readings) != len(want.Points) {
		return fmt.Errorf("%d readings, want %d", len(b.Readings), len(want.Points))
	}
	for i := range b.Readings {
		if err := samePoint(&b.Readings[i], want.Points[i], config.Default); err != nil {
			return err
		}
	}
	return nil
}

// judgeWrittenLine reads the lines that an encoder may write. Where it has to
// refuse, it is the line without any check that we have to refuse.
func judgeWrittenLine(c corpusCase) error {
	var point linePoint
	var want struct {
		Line     string
		AnyLines []string
	}
	if err := json.Unmarshal(c.Inputs[0], &point); err != nil {
		return err
	}
	if c.Error != nil {
		b, err := readLineproto([]byte(point.careless()), "")
		return wantRefusal(b, err)
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	if want.Line != "" {
		want.AnyLines = append(want.AnyLines, want.Line)
	}
	for _, line := range want.AnyLines {
		b, err := readLineproto([]byte(line), "")
		if err == nil {
			err = samePoint(&b.Readings[0], point, "")
		}
		if err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}

// careless writes p without escaping anything. A field is added to tags alone, so
// that it is their names that count.
func (p linePoint) careless() string {
	line := p.Measurement
	for _, tag := range p.tags() {
		line += "," + tag.Key + "=" + tag.Value
	}
	if len(p.Fields) == 0 && len(p.tags()) > 0 {
		line += " f=1"
	}
	for i, f := range p.Fields {
		line += string(" ,"[min(i, 1)]) + f.Name + "=" + string(f.Value)
	}
	return line
}

// tags returns the tags, sorted.
func (p linePoint) tags() []protocol.Tag {
	var pairs [][2]string
	if json.Unmarshal(p.Tags, &pairs) != nil {
		var object map[string]string
		if json.Unmarshal(p.Tags, &object) != nil {
			return nil
		}
		for key, value := range object {
			pairs = append(pairs, [2]string{unquoted(key), value})
		}
	}
	var tags []protocol.Tag
	for _, pair := range pairs {
		tags = append(tags, protocol.Tag{Key: pair[0], Value: pair[1]})
	}
	slices.SortFunc(tags, func(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

// unquoted takes off the backquotes in which Telegraf's cases have some names.
func unquoted(name string) string { return strings.Trim(name, "`") }

func readLineproto(text []byte, precision string) (*protocol.Batch, error) {
	config := lineproto.DefaultConfig()
	if precision != "" {
		config.Precision = strings.Replace(strings.TrimPrefix(precision, "1"), "µ", "u", 1)
	}
	var wrong error
	config.Validate(func(field, problem string) { wrong = fmt.Errorf("%s %s", field, problem) })
	if wrong != nil {
		return nil, wrong
	}
	b := &protocol.Batch{}
	return b, lineproto.New(config).Decode(b, text)
}

// wantRefusal returns nil when err is a refusal that left nothing behind.
func wantRefusal(b *protocol.Batch, err error) error {
	if _, ok := err.(*protocol.Refusal); !ok {
		return fmt.Errorf("%v and %d readings, want a refusal", err, len(b.Readings))
	}
	if len(b.Readings) > 0 {
		return fmt.Errorf("%d readings left behind", len(b.Readings))
	}
	return nil
}

// samePoint compares a reading with a point. without is the time that the
// reference gives to lines without one.
func samePoint(r *protocol.Reading, p linePoint, without string) error {
	tags := slices.Clone(r.Device.Tags)
	at := slices.IndexFunc(tags, func(t protocol.Tag) bool { return t.Key == "measurement" })
	if tags[at].Value != p.Measurement {
		return fmt.Errorf("measurement %q, want %q", tags[at].Value, p.Measurement)
	}
	if tags = slices.Delete(tags, at, at+1); !slices.Equal(tags, p.tags()) {
		return fmt.Errorf("tags %q, want %q", tags, p.tags())
	}
	// No time and the time 0 are the same to us; Telegraf's clock stands at 42 s.
	time := strconv.FormatInt(int64(r.SourceTime), 10)
	none := time == "0" && (p.Time.Value == "" || p.Time.Value == without || p.Time.Value == "42000000000")
	if time != p.Time.Value && !none {
		return fmt.Errorf("time %s, want %s", time, p.Time.Value)
	}
	if len(r.Metrics) != len(p.Fields) {
		return fmt.Errorf("%d metrics, want %d", len(r.Metrics), len(p.Fields))
	}
	for _, f := range p.Fields {
		i := slices.IndexFunc(r.Metrics, func(m protocol.Metric) bool { return m.Name == unquoted(f.Name) })
		if i < 0 {
			return fmt.Errorf("no metric %q", f.Name)
		}
		want, err := lineValue(f.Value, f.Type)
		if err != nil {
			return err
		}
		if got := r.Metrics[i].Value; got != want {
			return fmt.Errorf("%q is %q (%v), want %q (%v)", f.Name, got, got.Kind(), want, want.Kind())
		}
	}
	return nil
}

// lineValue returns the value that a case states.
func lineValue(raw json.RawMessage, kind string) (protocol.Value, error) {
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return protocol.Value{}, err
		}
	}
	switch kind {
	case "float":
		f, err := strconv.ParseFloat(text, 64)
		return protocol.Float(f), err
	case "int":
		n, err := strconv.ParseInt(text, 10, 64)
		return protocol.Int(n), err
	case "uint":
		n, err := strconv.ParseUint(text, 10, 64)
		return protocol.Uint(n), err
	case "bool":
		v, err := strconv.ParseBool(text)
		return protocol.Bool(v), err
	case "string":
		return protocol.String(text), nil
	}
	return protocol.Value{}, fmt.Errorf("unknown type %q", kind)
}
