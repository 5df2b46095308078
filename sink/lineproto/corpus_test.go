package lineproto

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"sluice/protocol"
)

// corpus is the collection of public vectors that may lie beside the repository.
const corpus = "../../../shared/corpus/lineprotocol/"

// lineCase is a point and the line that another encoder makes of it.
type lineCase struct {
	ID       string
	Input    string `json:"input_text"`
	Expected struct{ Line string }
	Error    json.RawMessage
}

// otherwise are the lines that we write in another way, and the reasons.
var otherwise = map[string]string{
	// Parsers do not agree on a backslash before an escape.
	"enc-20f288a995174bed": `cpu,regions=%5C\,\,\=east value=1 0`,
	"enc-b3db57d81f6283cd": `cpu,regions=eas%5C\ t value=1 0`,
	// Booleans stand in full, = means nothing in a measurement, and the case has
	// several lines to choose from.
	"questdb-00-all-column-types":            `test_table,sym_col=sym_val str_col="foo bar baz",long_col=42i,double_col=42.5,bool_col=true 0`,
	"questdb-01-double-serialization":        `doubles d0=0,dm0=-0,d1=1,dE100=1e+100,d0000001=1e-06,dN0000001=-1e-06 0`,
	"questdb-02-escaped-chars-in-table-name": `test\ 1=2 a_col=42i 0`,
	"questdb-03-in-the-middle-of-table-name": `foobar.csv a_col=false 0`,
	// InfluxDB would keep a backslash before a line break.
	"questdb-04-escaped-chars-in-string-column":                  `test_table name\ 1\=2="value 1,2=3` + "\n4\r" + `5\"6\\7" 0`,
	"questdb-06-escaped-chars-mixed-with-utf-8-in-string-column": `таблица имя\ раз\=два="значение раз,два=три` + "\nчетыре\r" + `пять\"шесть\\семь" 0`,
	// There is no line without a field, and no decimal.
	"questdb-05-escaped-chars-in-symbol":                  "",
	"questdb-07-escaped-chars-mixed-with-utf-8-in-symbol": "",
	"questdb-108-decimal":                                 `decimals zero=0,neg_zero=-0,one=1,large=1e+14,small=0.001,neg_small=-0.001 0`,
}

// TestCorpus writes the points of other encoders' tests. What QuestDB refuses
// because of its own rules for names has to be nothing or a line that InfluxDB's
// reference reads.
func TestCorpus(t *testing.T) {
	for _, c := range append(linesOf(t, "encode.jsonl"), linesOf(t, "encode-questdb.jsonl")...) {
		got, err := encoded(t, c.Input)
		if c.Error != nil {
			if d := lineprotocol.NewDecoderWithBytes([]byte(got)); err == nil && !isOneLine(d) {
				t.Errorf("%s: wrote %q", c.ID, got)
			}
			continue
		}
		want, ok := otherwise[c.ID]
		if !ok {
			want = c.Expected.Line
		}
		if got != want+"\n" && !(want == "" && got == "" && err != nil) {
			t.Errorf("%s: %q (%v), want %q", c.ID, got, err, want)
		}
	}
}

func isOneLine(d *lineprotocol.Decoder) bool {
	if !d.Next() {
		return false
	}
	_, err := d.Time(lineprotocol.Nanosecond, time.Time{})
	return err == nil && !d.Next()
}

// encoded returns the line of a point.
func encoded(t *testing.T, point string) (string, error) {
	t.Helper()
	var p struct {
		Measurement string
		Tags        [][2]string
		Fields      []struct {
			Name, Type string
			Value      json.RawMessage
		}
		Time struct{ Value string }
	}
	if err := json.Unmarshal([]byte(point), &p); err != nil {
		t.Fatal(err)
	}
	r := protocol.Reading{Device: &protocol.Device{}}
	for _, tag := range p.Tags {
		r.Device.Tags = append(r.Device.Tags, protocol.Tag{Key: tag[0], Value: tag[1]})
	}
	for _, f := range p.Fields {
		r.Metrics = append(r.Metrics, protocol.Metric{Name: f.Name, Value: valueOf(t, f.Value, f.Type)})
	}
	if p.Time.Value != "" {
		at, err := strconv.ParseInt(p.Time.Value, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		r.SourceTime = protocol.Timestamp(at)
	}
	e, err := New("", Format{Measurement: p.Measurement, Precision: "ns"})
	if err != nil {
		t.Fatal(err)
	}
	line, err := e.Append(nil, &r)
	return string(line), err
}

func valueOf(t *testing.T, raw json.RawMessage, kind string) (v protocol.Value) {
	t.Helper()
	text, err := string(raw), error(nil)
	if text[0] == '"' {
		err = json.Unmarshal(raw, &text)
	}
	switch kind {
	case "float", "DECIMAL":
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err == nil {
			v = protocol.Float(f)
		}
	case "int":
		var n int64
		if n, err = strconv.ParseInt(text, 10, 64); err == nil {
			v = protocol.Int(n)
		}
	case "bool":
		v = protocol.Bool(text == "true")
	case "string":
		v = protocol.String(text)
	default:
		t.Fatalf("unknown type %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func linesOf(t *testing.T, name string) (cases []lineCase) {
	t.Helper()
	file, err := os.Open(corpus + name)
	if err != nil {
		t.Logf("no corpus beside this clone: %v", err)
		return nil
	}
	defer file.Close()
	for s := bufio.NewScanner(file); s.Scan(); {
		var c lineCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}
