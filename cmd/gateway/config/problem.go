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

// Problems is everything that is wrong with a file, in the order of the file.
type Problems []Problem

// Error returns the problems, one per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// arrange brings ps into the order of the file, without repetitions, and moves
// positions behind the end (where YAML notices what is not closed) into it.
func (ps Problems) arrange(text []byte) Problems {
	lines := splitLines(text)
	for i := range ps {
		ps[i].clamp(lines)
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(ps)
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
