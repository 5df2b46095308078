package config

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"go.yaml.in/yaml/v4"
)

// source is one of the files that a configuration is made of.
type source struct {
	name  string
	lines []string
}

// within reads a further file, for which somebody asked at n, and lets take have
// its text. Problems that have no node are meanwhile those of that file.
func (p *parser) within(n *yaml.Node, path string, take func(text []byte)) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		p.report(n, "read file %s: it is no file", path)
		return
	}
	text, err := readLimited(path, maxFileSize)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		p.report(n, "read file %s: %v", path, err)
		return
	}
	before := p.reading
	p.reading = path
	if !slices.ContainsFunc(p.sources, func(s source) bool { return s.name == path }) {
		p.sources = append(p.sources, source{path, splitLines(text)})
	}
	take(text)
	p.reading = before
}

// stands notes that n, and what is in it, stands in the file that is being read.
func (p *parser) stands(n *yaml.Node) {
	p.files[n] = p.reading
	for _, c := range n.Content {
		p.stands(c)
	}
}

// fileOf returns the name of the file in which n stands.
func (p *parser) fileOf(n *yaml.Node) string {
	if file, further := p.files[n]; further {
		return file
	}
	return p.sources[0].name
}
