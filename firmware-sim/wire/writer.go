package wire

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// writer writes a text that an expression matches, choosing by chance what the
// expression leaves open.
type writer struct {
	out  []byte
	rand *rand.Rand
	text func(group int) (string, bool) // what a group is to hold, false: whatever matches
}

func (w *writer) write(n *syntax.Regexp) {
	switch n.Op {
	case syntax.OpLiteral:
		w.out = append(w.out, string(n.Rune)...)
	case syntax.OpCharClass:
		w.out = append(w.out, string(w.pick(n.Rune))...)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		w.out = append(w.out, byte('a'+w.rand.IntN(26)))
	case syntax.OpCapture:
		if text, ok := w.text(n.Cap); ok {
			w.out = append(w.out, text...)
			return
		}
		w.write(n.Sub[0])
	case syntax.OpStar:
		w.repeat(n.Sub[0], 0, 2)
	case syntax.OpPlus:
		w.repeat(n.Sub[0], 1, 3)
	case syntax.OpQuest:
		w.repeat(n.Sub[0], 0, 1)
	case syntax.OpRepeat:
		most := n.Max
		if most < 0 || most > n.Min+2 {
			most = n.Min + 2
		}
		w.repeat(n.Sub[0], n.Min, most)
	case syntax.OpConcat:
		for _, sub := range n.Sub {
			w.write(sub)
		}
	case syntax.OpAlternate:
		w.write(w.branch(n.Sub))
	}
}

// repeat writes n least to most times; what holds a named group is written once
// where that is allowed.
func (w *writer) repeat(n *syntax.Regexp, least, most int) {
	times := least + w.rand.IntN(most-least+1)
	if named(n) > 0 {
		times = max(1, least)
	}
	for range times {
		w.write(n)
	}
}

// branch chooses an alternative: the one with the most named groups, and by
// chance where there are none.
func (w *writer) branch(subs []*syntax.Regexp) *syntax.Regexp {
	best := slices.MaxFunc(subs, func(a, b *syntax.Regexp) int { return named(a) - named(b) })
	if named(best) > 0 {
		return best
	}
	return subs[w.rand.IntN(len(subs))]
}

// named counts the named groups in n.
func named(n *syntax.Regexp) int {
	count := 0
	if n.Op == syntax.OpCapture && n.Name != "" {
		count++
	}
	for _, sub := range n.Sub {
		count += named(sub)
	}
	return count
}

// likely are the characters that people expect on a line, the likeliest first.
var likely = []string{"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", ".-+_,;:*#/=$%&@!?()[]<>'\"|~^`{}\\", " ", "\t"}

// pick chooses a character of a class, given as pairs of bounds.
func (w *writer) pick(class []rune) rune {
	for _, set := range likely {
		fit := strings.Map(func(r rune) rune {
			if holds(class, r) {
				return r
			}
			return -1
		}, set)
		if fit != "" {
			return rune(fit[w.rand.IntN(len(fit))])
		}
	}
	for i := 0; i+1 < len(class); i += 2 {
		for r := class[i]; r <= class[i+1]; r++ {
			if r != '\n' && r != '\r' {
				return r
			}
		}
	}
	return ' '
}

func holds(class []rune, r rune) bool {
	for i := 0; i+1 < len(class); i += 2 {
		if class[i] <= r && r <= class[i+1] {
			return true
		}
	}
	return false
}

// wordsFor returns a few different texts that n matches, always the same ones.
func wordsFor(n *syntax.Regexp, fits *regexp.Regexp) []string {
	r := rand.New(rand.NewPCG(3, 4))
	var words []string
	for range 64 {
		w := writer{rand: r, text: func(int) (string, bool) { return "", false }}
		w.write(n)
		word := string(w.out)
		blank := strings.TrimSpace(word) != word || word == ""
		if !blank && !strings.ContainsAny(word, "\r\n") && fits.MatchString(word) && !slices.Contains(words, word) && len(words) < 8 {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

func hasLetter(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }
