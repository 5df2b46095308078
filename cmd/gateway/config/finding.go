package config

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/protocol/checksum"
)

// validator is a component's Config: it knows what its fields may hold.
type validator interface {
	Validate(report func(field, problem string))
}

// validate reports what c, decoded from the mapping n, finds wrong with itself.
func (p *parser) validate(n *yaml.Node, prefix string, c validator) {
	c.Validate(func(field, problem string) { p.finding(n, prefix, field, problem) })
}

// finding reports a problem with a field of the mapping n at the field's place
// in the file, or at n when the file does not mention it. It is silent where
// that only repeats in other words what has been reported.
func (p *parser) finding(n *yaml.Node, prefix, field, problem string) {
	at, rest := locate(n, field)
	missing, _, _ := strings.Cut(rest, ".")
	switch {
	case missing == "" && p.anyIn(at, p.isBad):
	case missing == "" && p.skip && p.anyIn(at, p.isExpanded):
	case slices.ContainsFunc(p.misspelt[n], func(key string) bool { return strings.Contains(problem, key) }):
	case missing != "" && (p.bad[at] || slices.Contains(p.misspelt[at], missing)):
	default:
		problem = p.redact(at, problem)
		if missing == "" {
			problem += meant(at, problem)
		}
		p.problems = append(p.problems, Problem{p.fileOf(at), at.Line, at.Column, prefix + field + " " + problem})
	}
}

// meant asks for the nearest of the words that a problem with the word at n says
// are wanted, "" when none of them is near.
func meant(n *yaml.Node, problem string) string {
	_, list, listed := strings.Cut(problem, ", want ")
	if !listed || n.Kind != yaml.ScalarNode || !strings.HasPrefix(problem, "is "+strconv.Quote(n.Value)) {
		return ""
	}
	var words []string
	for _, w := range strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ") {
		w, _, _ = strings.Cut(w, " (")                 // what follows only explains the word
		if w != "" && !strings.ContainsAny(w, " \"") { // otherwise it is prose
			words = append(words, w)
		}
	}
	if strings.HasPrefix(list, checksum.Wanted) {
		words = checksum.Names() // too many to be listed
	}
	return Suggest(n.Value, words)
}

func (p *parser) isBad(n *yaml.Node) bool { return p.bad[n] }

// anyIn reports whether is holds for n or a value or key in it.
func (p *parser) anyIn(n *yaml.Node, is func(*yaml.Node) bool) bool {
	return is(n) || slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return p.anyIn(c, is) })
}

// locate follows a field's path, keys and list positions joined by dots, from
// n on. It returns the last node on the way and the part of the path that is
// not in the file.
func locate(n *yaml.Node, path string) (*yaml.Node, string) {
	for path != "" {
		next, rest := step(n, path)
		if next == nil {
			return n, path
		}
		n, path = next, rest
	}
	return n, ""
}

// step takes the longest key of n that begins path: a metric may have dots in
// its name.
func step(n *yaml.Node, path string) (next *yaml.Node, rest string) {
	if n.Kind == yaml.SequenceNode {
		index, rest, _ := strings.Cut(path, ".")
		if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], rest
		}
		return nil, path
	}
	for key := path; ; {
		if c := child(n, key); c != nil {
			return c, strings.TrimPrefix(path[len(key):], ".")
		}
		dot := strings.LastIndexByte(key, '.')
		if dot < 0 {
			return nil, path
		}
		key = key[:dot]
	}
}
