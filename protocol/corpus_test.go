package protocol_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// The collection of public payloads and vectors that may lie beside the
// repository, and the list of its cases that we do not follow.
const (
	corpusRoot = "../../shared/corpus"
	corpusList = "testdata/CORPUS.md"
)

// corpusCase is one case of the collection. What Config, Expected and Error
// hold differs from format to format.
type corpusCase struct {
	ID        string
	Format    string
	Group     string
	Authority string   // its first word
	Inputs    [][]byte // one, or the files of a case that has several
	Dir       string   // where the case's files lie
	Config    json.RawMessage
	Expected  json.RawMessage // nil: no result is stated
	Error     json.RawMessage // not nil: the input has to be refused
}

// judges holds each case of a format against what we make of it. A judge
// returns nil when that is what the case states.
var judges = map[string]func(corpusCase) error{
	"binary-telegraf":     judgeBinary,
	"cayennelpp":          judgeCayenneLPP,
	"cbor":                judgeCBOR,
	"cbor-telegraf":       judgeTelegraf,
	"cobs":                judgeCOBS,
	"crc":                 judgeCRC,
	"device-json":         judgeDevice,
	"dsmr":                judgeDSMR,
	"json":                judgeJSON,
	"json-telegraf":       judgeTelegraf,
	"json-xpath-telegraf": judgeTelegraf,
	"lineprotocol":        judgeLineproto,
	"mbus":                judgeMBus,
	"modbus":              judgeModbus,
	"msgpack":             judgeMsgPack,
	"nmea":                judgeNMEA,
	"plain-value":         judgePlain,
	"pms":                 judgePMS,
	"ruuvi":               judgeRuuvi,
	"sdi12":               judgeSDI12,
	"senml":               judgeSenML,
	"slip":                judgeSLIP,
	"sml":                 judgeSML,
	"sparkplug":           judgeSparkplug,
	"vedirect":            judgeVEDirect,
}

// elsewhere are formats that packages beside this one test.
var elsewhere = []string{"nats-errors", "influx-errors", "mqtt-topic"}

// bound are authorities that leave no room for taste.
var bound = []string{"spec", "vendor", "arithmetic"}

// row counts the cases of a format.
type row struct{ passed, listed, failed int }

func TestCorpus(t *testing.T) {
	if _, err := os.Stat(corpusRoot); err != nil {
		t.Logf("no corpus beside this clone: %v", err)
		return
	}
	listed := readList(t)
	table, alone := map[string]*row{}, map[string]int{}
	for _, c := range loadCorpus(t) {
		judge := judges[c.Format]
		if judge == nil {
			if !slices.Contains(elsewhere, c.Format) {
				alone[c.Format]++
			}
			continue
		}
		if table[c.Format] == nil {
			table[c.Format] = &row{}
		}
		err := judge(c)
		isListed := listed[c.ID]
		delete(listed, c.ID)
		switch at := table[c.Format]; {
		case err == nil && isListed:
			at.failed++
			t.Errorf("%s passes and is listed in %s", c.ID, corpusList)
		case err == nil:
			at.passed++
		case isListed && !slices.Contains(bound, c.Authority):
			at.listed++
		default:
			at.failed++
			t.Errorf("%s (%s): %v", c.ID, c.Authority, err)
		}
	}
	for id := range listed {
		t.Errorf("%s lists %s, which is no case", corpusList, id)
	}
	t.Log("\n" + drawn(table))
	if len(alone) > 0 {
		t.Errorf("nobody judges %v", alone)
	}
}

func drawn(table map[string]*row) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "format\tpassed\tlisted\tfailed\t")
	var sum row
	for _, format := range slices.Sorted(maps.Keys(table)) {
		r := table[format]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t\n", format, r.passed, r.listed, r.failed)
		sum = row{sum.passed + r.passed, sum.listed + r.listed, sum.failed + r.failed}
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t\n", sum.passed, sum.listed, sum.failed)
	w.Flush()
	return text.String()
}

// readList returns the cases that the list names in lines such as
// "- `format/case`: why".
func readList(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(corpusList)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, line := range regexp.MustCompile("(?m)^- ((?:`[^`]+`(?:, )?)+): \\S").FindAllSubmatch(text, -1) {
		for _, id := range regexp.MustCompile("`([^`]+)`").FindAllSubmatch(line[1], -1) {
			listed[string(id[1])] = true
		}
	}
	return listed
}

func loadCorpus(t *testing.T) []corpusCase {
	t.Helper()
	var index struct {
		Cases []struct {
			ID, Format, Group, Authority, Case string
			Input                              json.RawMessage // a file, or a list of files
		}
	}
	readJSON(t, filepath.Join(corpusRoot, "INDEX.json"), &index)
	lines := map[string]map[string]corpusLine{} // by file and id
	var cases []corpusCase
	for _, at := range index.Cases {
		c := corpusCase{ID: at.ID, Format: at.Format, Group: at.Group}
		c.Authority, _, _ = strings.Cut(at.Authority, " ")
		var inputs []string
		if err := json.Unmarshal(wrap(at.Input), &inputs); err != nil || len(inputs) == 0 {
			t.Fatalf("%s: input %s: %v", at.ID, at.Input, err)
		}
		c.Dir = filepath.Join(corpusRoot, filepath.Dir(inputs[0]))
		var l corpusLine
		if file, id, ok := strings.Cut(inputs[0], "#"); ok {
			if lines[file] == nil {
				lines[file] = readLines(t, filepath.Join(corpusRoot, file))
			}
			l = lines[file][id]
			c.Inputs = [][]byte{l.input(t)}
		} else {
			readJSON(t, filepath.Join(corpusRoot, at.Case), &l)
			for _, file := range inputs {
				b, err := os.ReadFile(filepath.Join(corpusRoot, file))
				if err != nil {
					t.Fatal(err)
				}
				c.Inputs = append(c.Inputs, b)
			}
		}
		c.Config, c.Expected, c.Error = l.Config, l.Expected, l.Error
		cases = append(cases, c)
	}
	if len(cases) < 1361 {
		t.Errorf("only %d cases", len(cases))
	}
	return cases
}

// wrap makes a list of a single value.
func wrap(v json.RawMessage) []byte {
	if bytes.HasPrefix(v, []byte("[")) {
		return v
	}
	return slices.Concat([]byte("["), v, []byte("]"))
}

// corpusLine is one line of a file of cases, or the file beside an input.
type corpusLine struct {
	ID                      string
	Text                    *string `json:"input_text"`
	Hex                     string  `json:"input_hex"`
	Config, Expected, Error json.RawMessage
}

func (l corpusLine) input(t *testing.T) []byte {
	t.Helper()
	if l.Text != nil {
		return []byte(*l.Text)
	}
	b, err := hex.DecodeString(l.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readLines(t *testing.T, path string) map[string]corpusLine {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := map[string]corpusLine{}
	for s := bufio.NewReader(f); ; {
		text, err := s.ReadBytes('\n')
		if len(bytes.TrimSpace(text)) > 0 {
			var l corpusLine
			if err := json.Unmarshal(text, &l); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			lines[l.ID] = l
		}
		if err != nil {
			return lines
		}
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
