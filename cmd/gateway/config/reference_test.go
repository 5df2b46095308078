package config

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial"
	"sluice/pipeline"
	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/sink"
	"sluice/sink/file"
	"sluice/sink/influx"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// item is a key of the configuration, or what stands in a list or under a name
// of the operator's choice.
type item struct {
	name     string   // the key
	kind     string   // text, duration, size, boolean, number, integer, mapping, table, list, secret
	about    string   // the type's own comment
	meaning  string   // the field's comment
	fallback string   // the default, "" where there is none
	example  string   // from testdata/good/full.yaml, "" where it has none
	words    []string // that alone may stand there; none: others may too
	choice   []string // one of the keys is to be set; these may stand there as a word
	several  bool     // one text may stand there, or a list of them
	override bool     // a key of a profile in a row
	keys     []*item  // of a mapping
	each     *item    // of a table or list
}

// sections are the types behind the keys that are decoded by hand.
func sections() map[string]any {
	return map[string]any{
		"top.drivers":          map[string]driverEntry{},
		"top.profiles":         map[string]payload.Profile{},
		"top.devices":          []row{},
		"top.include":          []string{},
		"top.sinks":            map[string]sinkEntry{"": {Delivery: pipeline.DefaultDelivery()}},
		"driverEntry.mqtt":     mqtt.DefaultConfig(),
		"driverEntry.defaults": row{},
		"driverEntry.serial":   serial.DefaultConfig(),
		"driverEntry.modbus":   modbus.DefaultConfig(),
		"sinkEntry.nats":       nats.DefaultConfig(),
		"sinkEntry.influx":     influx.DefaultConfig(),
		"sinkEntry.mqtt":       sinkmqtt.DefaultConfig(),
		"sinkEntry.file":       file.DefaultConfig(),
	}
}

// several are the keys that take one text or a list of them.
var several = map[string]bool{"top.include": true, "row.device": true}

// reference walks through all that a file can say.
type reference struct {
	t        *testing.T
	sections map[string]any
	comments comments
	full     *yaml.Node // testdata/good/full.yaml
	seen     []reflect.Type
}

// newReference returns the reference, and the outermost mapping in it.
func newReference(t *testing.T) (*reference, *item) {
	t.Helper()
	text, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{t: t, sections: sections(), comments: comments{}, full: new(yaml.Node)}
	if err := yaml.Unmarshal(text, r.full); err != nil {
		t.Fatal(err)
	}
	defaults := top{HTTP: DefaultHTTP(), Log: DefaultLog(), Pipeline: pipeline.DefaultConfig()}
	root := r.item(reflect.ValueOf(defaults), r.full.Content)
	return r, root
}

// item describes what v is a default of; at is where the full file has it.
func (r *reference) item(v reflect.Value, at []*yaml.Node) *item {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		v = v.Elem()
	}
	t := v.Type()
	i := &item{kind: kindOf(t), example: exampleOf(at)}
	for _, word := range separators.Split(choice(t), -1) {
		if word != "" && !strings.HasPrefix(word, "{") {
			i.choice = append(i.choice, word)
		}
	}
	switch i.kind {
	case "mapping":
		i.about = r.comments.of(r.t, t).about
		if slices.Contains(r.seen, t) {
			break // a type inside itself: its keys have been told
		}
		r.seen = append(r.seen, t)
		i.keys = r.keys(v, at)
		r.seen = r.seen[:len(r.seen)-1]
	case "table", "list":
		each := reflect.New(t.Elem()).Elem()
		if t.Kind() == reflect.Map && v.Len() > 0 {
			each = v.MapIndex(v.MapKeys()[0])
		}
		i.each = r.item(each, below(at, "*"))
	case "text":
		i.words = r.words(at)
	}
	if !v.IsZero() && i.kind != "mapping" && i.kind != "table" {
		i.fallback = short(fmt.Sprint(v.Interface()))
	}
	return i
}

// keys describes the fields of the struct v.
func (r *reference) keys(v reflect.Value, at []*yaml.Node) []*item {
	var keys []*item
	for _, f := range fieldsOf(v.Type()) {
		owner := v.Type()
		for _, embedded := range f.index[:len(f.index)-1] {
			owner = owner.Field(embedded).Type
		}
		field := v.FieldByIndex(f.index)
		if field.Type() == reflect.TypeFor[*yaml.Node]() {
			section, ok := r.sections[owner.Name()+"."+f.name]
			if !ok {
				r.t.Fatalf("what stands below %s of %s is not in sections", f.name, owner)
			}
			field = reflect.ValueOf(section)
		}
		key := r.item(field, below(at, f.name))
		key.name = f.name
		name := v.Type().FieldByIndex(f.index).Name
		key.meaning = meaning(r.comments.of(r.t, owner).fields[name], key.fallback)
		key.several = several[owner.Name()+"."+f.name]
		key.override = owner == reflect.TypeFor[override]()
		keys = append(keys, key)
	}
	return keys
}

// meaning leaves out of a comment the default, which has a place of its own.
func meaning(comment, fallback string) string {
	comment = strings.TrimSuffix(comment, "default "+fallback)
	return strings.TrimRight(strings.TrimSpace(strings.Replace(comment, " (default)", "", 1)), ",")
}

// zeros are what a duration's text has behind its last unit that counts.
var zeros = regexp.MustCompile(`^(\d+h)0m0s$|^((?:\d+h)?\d+m)0s$`)

// short leaves out the zeros of a duration: 168h for 168h0m0s.
func short(text string) string { return zeros.ReplaceAllString(text, "$1$2") }

func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == reflect.TypeFor[pipeline.Bytes](), t == reflect.TypeFor[sink.Bytes]():
		return "size"
	case t == reflect.TypeFor[protocol.Secret]():
		return "secret"
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "text"
	}
	switch t.Kind() {
	case reflect.Struct:
		return "mapping"
	case reflect.Map:
		return "table"
	case reflect.Slice:
		return "list"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	}
	return "integer"
}

// below returns what stands under a key of mappings, under any for "*".
func below(at []*yaml.Node, key string) []*yaml.Node {
	var found []*yaml.Node
	for _, n := range at {
		switch {
		case n.Kind == yaml.SequenceNode && key == "*":
			found = append(found, n.Content...)
		case n.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if key == "*" || n.Content[i].Value == key {
					found = append(found, n.Content[i+1])
				}
			}
		}
	}
	return found
}

// exampleOf returns the first value that fits into a line.
func exampleOf(at []*yaml.Node) string {
	const most = 60
	for _, n := range at {
		var text strings.Builder
		e := yaml.NewEncoder(&text)
		flow := *n
		flow.Style |= yaml.FlowStyle
		if err := e.Encode(&flow); err != nil {
			continue
		}
		if line := strings.TrimSpace(text.String()); line != "" && !strings.Contains(line, "\n") && len(line) <= most {
			return line
		}
	}
	return ""
}

// words returns the words that alone may stand at a place, as the messages say
// that come of another one; none where other text may stand there too.
func (r *reference) words(at []*yaml.Node) []string {
	var words []string
	for _, n := range at {
		if n.Kind != yaml.ScalarNode {
			continue
		}
		before := *n
		n.Value, n.Style, n.Tag = noSuchWord, yaml.DoubleQuotedStyle, "!!str"
		text, err := yaml.Marshal(r.full)
		*n = before
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = Parse("full.yaml", text, Options{Secrets: Skip})
		problems, _ := err.(Problems)
		for _, p := range problems {
			if !strings.Contains(p.Message, noSuchWord) {
				continue
			}
			m := wantsWords.FindStringSubmatch(p.Message)
			if m == nil {
				return nil
			}
			for _, word := range separators.Split(m[1], -1) {
				if word != "nothing" && !slices.Contains(words, word) {
					words = append(words, word)
				}
			}
		}
	}
	return words
}

const noSuchWord = "no-such-word"

var (
	wantsWords = regexp.MustCompile(`"` + noSuchWord + `", want ((?:[\w+-]+, )*[\w+-]+ or [\w+-]+)$`)
	separators = regexp.MustCompile(`, | or `)
)
