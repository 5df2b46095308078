package file

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"sluice/sink"
	"sluice/sink/lineproto"
)

// StandardOutput is the path that stands for standard output.
const StandardOutput = "-"

// Config is one file and those that it was before.
type Config struct {
	Path    string           `yaml:"path"`     // of the file, {gateway} may stand in it; "-": standard output
	Format  string           `yaml:"format"`   // json (default), one object per line, or line, InfluxDB's line protocol
	Line    lineproto.Format `yaml:"line"`     // how lines look with format line
	MaxSize sink.Bytes       `yaml:"max_size"` // a file that would grow beyond is rotated, default 64MiB
	MaxAge  time.Duration    `yaml:"max_age"`  // an older file is rotated when there is more to write, default 0s: at any age
	Keep    Keep             `yaml:"keep"`     // how many rotated files or bytes of them stay, or all; default 1GiB
	Gzip    bool             `yaml:"gzip"`     // compress rotated files, default false
	Sync    bool             `yaml:"sync"`     // what is confirmed is on the disk, default true; false: a power cut loses what the system had yet to write
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{Format: "json", Line: lineproto.DefaultFormat(), MaxSize: 64 << 20, Keep: Keep{Bytes: 1 << 30}, Sync: true}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem. Whether the file can be written shows when the sink connects.
func (c *Config) Validate(report func(field, problem string)) {
	if problem := checkPath(c.Path); problem != "" {
		report("path", problem)
	}
	switch c.Format {
	case "json", "line":
	default:
		report("format", fmt.Sprintf("is %q, want json or line", c.Format))
	}
	c.Line.Validate(func(field, problem string) { report("line."+field, problem) })
	if c.MaxSize < 64<<10 || c.MaxSize > 1<<40 {
		report("max_size", fmt.Sprintf("is %v, want 64KiB to 1024GiB", c.MaxSize))
	}
	if c.MaxAge != 0 && c.MaxAge < time.Second {
		report("max_age", fmt.Sprintf("is %v, want 1s or longer, or 0s for any age", c.MaxAge))
	}
	if c.Gzip && c.Path == StandardOutput {
		report("gzip", "is true, but standard output is not rotated")
	}
}

// checkPath returns what is wrong with a path that shows without looking at the
// disk.
func checkPath(path string) string {
	if path == "" {
		return "is required: the file to write, or - for standard output"
	}
	t, err := sink.ParseTemplate(path)
	if err != nil {
		return "is wrong: " + err.Error()
	}
	for _, name := range t.Names() {
		if name != "gateway" {
			return fmt.Sprintf("uses {%s}, want only {gateway}: all readings go to one file", name)
		}
	}
	switch base := filepath.Base(path); {
	case strings.HasSuffix(path, "/"), base == ".", base == "..":
		return fmt.Sprintf("is %q, a folder, want a file", path)
	case strings.HasSuffix(base, packedExt), strings.HasSuffix(base, partExt):
		return fmt.Sprintf("is %q, want another ending: that is for compressed files", path)
	}
	return ""
}
