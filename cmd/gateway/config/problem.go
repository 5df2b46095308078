package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one mistake in the file. Line and Column count from 1, columns in
// characters; they always lie in the file, the end of a line included.
type Problem struct {
	File         string
	Line, Column int
	Message      string
}

// String returns file:line:column: message.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems is everything that is wrong with a configuration, in the order of its
// file, then of those that it includes.
type Problems []Problem

// Error returns the problems, one per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// mostProblems is how many problems are told: a mistake in a table of devices may
// be one in each of its lines.
const mostProblems = 200

// arrange brings ps into the order of the files, without repetitions, and moves
// positions behind a file's end (where YAML notices what is not closed) into it.
func (ps Problems) arrange(files []source) Problems {
	at := func(p Problem) int { return slices.IndexFunc(files, func(s source) bool { return s.name == p.File }) }
	for i := range ps {
		ps[i].clamp(files[max(at(ps[i]), 0)].lines)
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	ps = slices.Compact(ps)
	if more := len(ps) - mostProblems; more > 0 {
		last := ps[mostProblems]
		last.Message = fmt.Sprintf("and %d problems more, from here on", more)
		ps = append(ps[:mostProblems], last)
	}
	return ps
}

func (p *Problem) clamp(lines []string) {
	if p.Line > len(lines) {
		p.Line = len(lines)
		p.Column = utf8.RuneCountInString(lines[p.Line-1]) + 1
	}
	p.Line = max(p.Line, 1)
	p.Column = min(max(p.Column, 1), utf8.RuneCountInString(lines[p.Line-1])+1)
}

// splitLines returns the lines of text as YAML counts them; there is at least
// one.
func splitLines(text []byte) []string {
	s := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
