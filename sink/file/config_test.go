package file

import (
	"slices"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"a good one", func(*Config) {}, nil},
		{"standard output", func(c *Config) { c.Path = "-" }, nil},
		{"by gateway", func(c *Config) { c.Path = "/data/{gateway}/r.ndjson" }, nil},
		{"all wrong at once", func(c *Config) { *c = Config{MaxAge: 1} }, []string{
			"path is required", `format is "", want json or line`, `line.precision is ""`, "max_size is 0B, want 64KiB", "max_age is 1ns, want 1s",
		}},
		{"by device", func(c *Config) { c.Path = "/data/{device}.ndjson" }, []string{"path uses {device}, want only {gateway}"}},
		{"a broken template", func(c *Config) { c.Path = "/data/{x" }, []string{"path is wrong: template"}},
		{"a folder", func(c *Config) { c.Path = "/data/" }, []string{`path is "/data/", a folder`}},
		{"the folder above", func(c *Config) { c.Path = "/data/.." }, []string{`path is "/data/..", a folder`}},
		{"packed", func(c *Config) { c.Path = "/data/r.ndjson.gz" }, []string{`path is "/data/r.ndjson.gz", want another ending`}},
		{"packed output", func(c *Config) { c.Path, c.Gzip = "-", true }, []string{"gzip is true, but"}},
		{"too large", func(c *Config) { c.MaxSize = 1<<40 + 1 }, []string{"max_size is 1099511627777B, want 64KiB to 1024GiB"}},
	}
	for _, tt := range tests {
		cfg := DefaultConfig()
		cfg.Path = "/data/readings.ndjson"
		tt.edit(&cfg)
		var got []string
		cfg.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestKeep(t *testing.T) {
	for text, want := range map[string]Keep{"20": {Files: 20}, "1GiB": {Bytes: 1 << 30}, "1.5kB": {Bytes: 1500}, "all": {}} {
		var k Keep
		if err := k.UnmarshalText([]byte(text)); err != nil || k != want {
			t.Errorf("%q: %+v, %v, want %+v", text, k, err, want)
		}
		if again := k.String(); again != text && text != "1.5kB" {
			t.Errorf("%q is written as %q", text, again)
		}
	}
	for _, text := range []string{"", "0", "-1", "0B", "none", "1.5", "1 TB", "99999999999999999999GiB"} {
		var k Keep
		if err := k.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "want a number of files") {
			t.Errorf("%q: %+v, %v", text, k, err)
		}
	}
}
