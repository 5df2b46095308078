package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// generated compares a file that is made of the types with what they give now,
// or writes it anew when SLUICE_DOCS is new.
func generated(t *testing.T, path string, want []byte) {
	t.Helper()
	if os.Getenv("SLUICE_DOCS") == "new" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: SLUICE_DOCS=new go test ./cmd/gateway/config", path)
	}
}

type object = map[string]any

// reference is what may stand in the place of every value of the operator's.
var expandable = object{"type": "string", "pattern": `\$\{`}

// schemaOf returns the schema of an item.
func schemaOf(i *item) object {
	s := schemaOfKind(i)
	if i.meaning != "" {
		s["description"] = i.meaning
	}
	if i.fallback != "" {
		s["default"] = i.fallback
	}
	return s
}

func schemaOfKind(i *item) object {
	text := object{"type": []string{"string", "number", "boolean"}}
	if i.several {
		return object{"anyOf": []any{text, object{"type": "array", "items": text}}}
	}
	switch i.kind {
	case "mapping":
		return schemaOfMapping(i)
	case "table":
		return object{"type": "object", "additionalProperties": schemaOf(i.each)}
	case "list":
		return object{"type": "array", "items": schemaOf(i.each)}
	case "boolean":
		return object{"anyOf": []any{object{"type": "boolean"}, expandable}}
	case "integer", "number":
		return object{"anyOf": []any{object{"type": i.kind}, expandable}}
	case "duration":
		return object{"type": "string", "pattern": `^-?(0|([0-9.]+(ns|us|µs|ms|s|m|h))+)$|\$\{`}
	case "size":
		return object{"type": "string", "pattern": `^[0-9.]+ ?(B|[KMG]iB|[kMG]B)$|\$\{`}
	}
	if len(i.words) > 0 {
		return object{"anyOf": []any{object{"enum": i.words}, expandable}}
	}
	return text
}

func schemaOfMapping(i *item) object {
	properties := object{}
	for _, key := range i.keys {
		properties[key.name] = schemaOf(key)
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(i.choice) == 0 {
		return s
	}
	s["minProperties"], s["maxProperties"] = 1, 1
	return object{"anyOf": []any{object{"enum": i.choice}, s}}
}

func TestSchemaIsMadeOfTheTypes(t *testing.T) {
	_, root := newReference(t)
	s := schemaOf(root)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "Configuration of a Sluice gateway"
	s["required"] = []string{"gateway", "drivers", "devices", "pipeline", "sinks"}
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "schema.json", append(text, '\n'))
}

func TestSchemaTakesWhatTheGatewayTakes(t *testing.T) {
	compiled := compileSchema(t)
	good, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(good, example) {
		if err := compiled.Validate(instance(t, path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestSchemaRefusesUnknownKeys tries the files that are wrong because of a key:
// an editor shows these mistakes while they are made.
func TestSchemaRefusesUnknownKeys(t *testing.T) {
	compiled, tried := compileSchema(t), 0
	bad, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range bad {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc any
		if !strings.Contains(string(text), ": unknown key") || yaml.Unmarshal(text, &doc) != nil {
			continue
		}
		tried++
		if compiled.Validate(instance(t, path)) == nil {
			t.Errorf("%s passes", path)
		}
	}
	if tried < 5 {
		t.Errorf("tried %d files", tried)
	}
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// instance returns a file as an editor sees it: as JSON.
func instance(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return plain(t, doc.Content[0])
}

// plain returns a node as JSON has it.
func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.MappingNode:
		m := object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(t, c))
		}
		return list
	case yaml.AliasNode:
		return plain(t, n.Alias)
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64, string, bool, nil:
		return v
	}
	return n.Value
}
