package config

import (
	"testing"

	"go.yaml.in/yaml/v4"
)

func TestLocate(t *testing.T) {
	const text = `
url: x
tls: {ca: y}
metrics:
  a: {unit: V}
  a.b: {unit: A}
  a.b.c: {unit: W}
columns: [p, [q]]
`
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		line int
		rest string
	}{
		"":                    {2, ""},
		"url":                 {2, ""},
		"url.port":            {2, "port"},
		"port":                {2, "port"},
		"tls":                 {3, ""},
		"tls.ca":              {3, ""},
		"tls.key":             {3, "key"},
		"metrics.a.unit":      {5, ""},
		"metrics.a.b.unit":    {6, ""},
		"metrics.a.b.c.unit":  {7, ""},
		"metrics.a.b.c.d":     {7, "d"},
		"metrics.b":           {5, "b"},
		"columns.1":           {8, ""},
		"columns.2":           {8, "2"},
		"columns.1.0":         {8, ""},
		"columns.first":       {8, "first"},
		"url.":                {2, ""},
		"..":                  {2, ".."},
		"metrics.a.b.c.unit.": {7, ""},
	} {
		n, rest := locate(doc.Content[0], path)
		if n.Line != want.line || rest != want.rest {
			t.Errorf("%q: got line %d and %q, want line %d and %q", path, n.Line, rest, want.line, want.rest)
		}
	}
}
