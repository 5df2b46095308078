package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"sluice/cmd/gateway/config"
)

// printProblems prints what is wrong with a configuration, a line each. On a
// terminal it shows the place too: the line of the file, and where in it.
func printProblems(w io.Writer, problems config.Problems) {
	if !isTerminal(w) {
		fmt.Fprintln(w, problems.Error())
		return
	}
	io.WriteString(w, illustrate(problems, os.Getenv("NO_COLOR") == ""))
}

// widest is how many characters of a line are shown.
const widest = 100

// illustrate returns the problems with their places.
func illustrate(problems config.Problems, coloured bool) string {
	paint := func(colour, text string) string {
		if !coloured {
			return text
		}
		return "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	var b strings.Builder
	files := map[string][]string{}
	for _, p := range problems {
		fmt.Fprintf(&b, "%s %s\n", paint("1", fmt.Sprintf("%s:%d:%d:", p.File, p.Line, p.Column)), paint("31", p.Message))
		lines, known := files[p.File]
		if !known {
			text, _ := os.ReadFile(p.File) // without it the place is told all the same
			lines = strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
			files[p.File] = lines
		}
		if p.Line > len(lines) || lines[p.Line-1] == "" {
			continue
		}
		line, at := window(lines[p.Line-1], p.Column-1)
		number := fmt.Sprintf("%5d", p.Line)
		fmt.Fprintf(&b, "%s %s\n%s %s%s\n", paint("2", number+" |"), line,
			paint("2", strings.Repeat(" ", len(number))+" |"), strings.Repeat(" ", at), paint("31", "^"))
	}
	return b.String()
}

// window returns the part of a line around a character, and where that stands in
// it. Characters that would move the cursor are blanks.
func window(line string, at int) (string, int) {
	runes := make([]rune, 0, utf8.RuneCountInString(line))
	for _, r := range line {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			r = ' '
		}
		runes = append(runes, r)
	}
	at = min(at, len(runes))
	from := max(0, min(at-widest/2, len(runes)-widest))
	return string(runes[from:min(len(runes), from+widest)]), at - from
}
