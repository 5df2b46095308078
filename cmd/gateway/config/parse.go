package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"go.yaml.in/yaml/v4"
)

// SecretMode says what becomes of ${env:NAME}, ${file:PATH} and ${credential:NAME}.
type SecretMode int

const (
	// Resolve puts the variable's value or the file's content in.
	Resolve SecretMode = iota
	// Skip reads neither: texts become "rehearsal", other values keep their
	// defaults, and what would come of either is not checked.
	Skip
)

// Options changes how a file is read. The zero value is for the real run.
type Options struct {
	Secrets SecretMode
}

const maxFileSize = 16 << 20

// Load reads and parses the file at path. A file with mistakes gives Problems.
func Load(path string, opts Options) (*File, error) {
	text, err := readLimited(path, maxFileSize)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text, opts)
}

// Parse parses text. Its name stands in the problems, and paths in the text are
// relative to its directory. An error is always Problems.
func Parse(name string, text []byte, opts Options) (*File, error) {
	p := newParser(name, opts)
	var f *File
	if root := p.document(text); root != nil {
		p.include(root)
		f = p.file(root)
	}
	p.sources[0].lines = splitLines(text)
	if len(p.problems) > 0 {
		return nil, p.problems.arrange(p.sources)
	}
	f.Warnings = p.warnings.arrange(p.sources)
	for _, s := range p.sources {
		f.Files = append(f.Files, s.name)
	}
	return f, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // opened for reading: nothing to lose
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("larger than %d bytes", limit)}
	}
	return text, err
}

// parser collects what is wrong with one file while the file is decoded.
type parser struct {
	dir      string
	reading  string   // the file that is being read
	sources  []source // those that were, the main one first
	skip     bool
	problems Problems
	warnings Problems

	bad      map[*yaml.Node]bool        // reported: further findings there say nothing new
	misspelt map[*yaml.Node][]string    // by mapping with unknown keys: what these may have meant
	expanded map[*yaml.Node]string      // by scalar with references: its text, never shown
	files    map[*yaml.Node]string      // of nodes that do not stand in the main file
	types    map[reflect.Type]knownType // see known
	defaults map[string]*yaml.Node      // by driver: what holds for its rows
}

func newParser(name string, opts Options) *parser {
	return &parser{
		reading:  name,
		sources:  []source{{name: name}},
		dir:      filepath.Dir(name),
		skip:     opts.Secrets == Skip,
		bad:      make(map[*yaml.Node]bool),
		misspelt: make(map[*yaml.Node][]string),
		expanded: make(map[*yaml.Node]string),
		files:    make(map[*yaml.Node]string),
		types:    make(map[reflect.Type]knownType),
		defaults: make(map[string]*yaml.Node),
	}
}

// report adds a problem at n and marks n as bad.
func (p *parser) report(n *yaml.Node, format string, args ...any) {
	p.bad[n] = true
	p.problems = append(p.problems, Problem{p.fileOf(n), n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// reportAt adds a problem in the file that is being read.
func (p *parser) reportAt(line, column int, format string, args ...any) {
	p.problems = append(p.problems, Problem{p.reading, line, column, fmt.Sprintf(format, args...)})
}
