package frame

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// take feeds pieces one after the other and returns copies of all lines.
func take(l *lineReader, pieces ...string) []string {
	var got []string
	for _, p := range pieces {
		buf := []byte(p)
		l.Feed(buf)
		for line, ok := l.Next(); ok; line, ok = l.Next() {
			got = append(got, string(line))
		}
		for i := range buf {
			buf[i] = '#' // the feeder uses its memory again
		}
	}
	return got
}

func TestLines(t *testing.T) {
	tests := []struct {
		name string
		eol  EOL
		in   []string
		want []string
	}{
		{"lf", LF, []string{"a\nb\n"}, []string{"a", "b"}},
		{"lf keeps cr", LF, []string{"a\r\nb\n"}, []string{"a\r", "b"}},
		{"crlf", CRLF, []string{"a\r\nb\r\n"}, []string{"a", "b"}},
		{"crlf keeps lone ends", CRLF, []string{"a\rb\nc\r\n"}, []string{"a\rb\nc"}},
		{"crlf cut in between", CRLF, []string{"a\r", "\nb\r\n"}, []string{"a", "b"}},
		{"crlf empty", CRLF, []string{"\r\n\r\na\r\n"}, []string{"a"}},
		{"crlf leading lf", CRLF, []string{"\na\r\n"}, []string{"\na"}},
		{"cr", CR, []string{"a\rb\r"}, []string{"a", "b"}},
		{"cr keeps lf", CR, []string{"a\r\nb\r"}, []string{"a", "\nb"}},
		{"auto all", Auto, []string{"a\nb\r\nc\rd\n"}, []string{"a", "b", "c", "d"}},
		{"auto cut in between", Auto, []string{"a\r", "\nb\r\n"}, []string{"a", "b"}},
		{"empty lines", Auto, []string{"\n\n\r\n\ra\n\n"}, []string{"a"}},
		{"pieces", Auto, []string{"te", "mp", "=2", "1.5\r", "\n"}, []string{"temp=21.5"}},
		{"no end", Auto, []string{"abc"}, nil},
		{"exactly the longest", LF, []string{"1234567890\n"}, []string{"1234567890"}},
		{"one too long", LF, []string{"12345678901\nok\n"}, []string{"ok"}},
		{"too long in pieces", LF, []string{"123456", "789012", "345\nok\n"}, []string{"ok"}},
		{"exactly the longest, crlf", CRLF, []string{"1234567890\r\n"}, []string{"1234567890"}},
		{"one too long, crlf", CRLF, []string{"12345678901\r\nok\r\n"}, []string{"ok"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := take(newLines(tt.eol, 10), tt.in...); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLinesCountsTooLong(t *testing.T) {
	for _, eol := range []EOL{Auto, LF, CRLF, CR} {
		l := newLines(eol, 10)
		end := string(eol.Append(nil))
		got := take(l, "12345678901", "2"+end, "ok"+end, strings.Repeat("x", 100)+end)
		if !slices.Equal(got, []string{"ok"}) || l.Stats().TooLong != 2 || l.Stats().Skipped != 112 {
			t.Errorf("%v: got %q, %d too long, %d bytes skipped, want [ok], 2, 112", eol, got, l.Stats().TooLong, l.Stats().Skipped)
		}
	}
}

func TestLinesNeverGrows(t *testing.T) {
	l := newLines(LF, 64)
	piece := strings.Repeat("x", 1000)
	for range 1000 {
		take(l, piece)
	}
	if cap(l.partial) > 128 || l.Stats().TooLong != 1 || l.Stats().Skipped != 1_000_000 {
		t.Errorf("keeps %d bytes, %d too long, %d skipped, want at most 128, 1, 1000000", cap(l.partial), l.Stats().TooLong, l.Stats().Skipped)
	}
}

func TestLinesReset(t *testing.T) {
	l := newLines(CRLF, 10)
	take(l, "cut by the unplu")
	l.Reset()
	if got := take(l, "\na\r\n"); !slices.Equal(got, []string{"\na"}) {
		t.Errorf("got %q after a reset, want the line from the new stream alone", got)
	}
	take(l, "half\r")
	l.Reset()
	if got := take(l, "b\r\n"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("got %q after a reset, want [b]", got)
	}
}

func TestLinesFedBeforeDrained(t *testing.T) {
	l := newLines(Auto, 10)
	l.Feed([]byte("a\nb\nc"))
	l.Next()
	if got := take(l, "d\n"); !slices.Equal(got, []string{"b", "cd"}) {
		t.Errorf("got %q, want [b cd]", got)
	}
}

// reference finds the lines of a whole text the plain way.
func reference(eol EOL, max int, text string) (lines []string, tooLong, skipped int64) {
	var parts []string
	if eol == Auto {
		text = strings.ReplaceAll(text, "\r", "\n")
		parts = strings.Split(text, "\n")
	} else {
		parts = strings.Split(text, string(eol.Append(nil)))
	}
	for _, p := range parts[:len(parts)-1] {
		switch {
		case len(p) > max:
			tooLong++
			skipped += int64(len(p))
		case p != "":
			lines = append(lines, p)
		}
	}
	return lines, tooLong, skipped
}

func TestLinesSplitAnywhere(t *testing.T) {
	const text = "one\r\ntwo\n\nthree\r\r\n\rfar too long a line\r\n\nend\r\n"
	for _, eol := range []EOL{Auto, LF, CRLF, CR} {
		want, tooLong, skipped := reference(eol, 8, text)
		check := func(pieces ...string) {
			t.Helper()
			l := newLines(eol, 8)
			got := take(l, pieces...)
			take(l, string(eol.Append(nil))) // ends an unfinished line for the counts
			if l.Stats().TooLong != tooLong || l.Stats().Skipped != skipped {
				t.Fatalf("%v %q: %d too long, %d skipped, want %d, %d", eol, pieces, l.Stats().TooLong, l.Stats().Skipped, tooLong, skipped)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v %q: got %q, want %q", eol, pieces, got, want)
			}
		}
		check(text)
		check(strings.Split(text, "")...)
		for i := range text {
			for j := i; j < len(text); j++ {
				check(text[:i], text[i:j], text[j:])
			}
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\r\nb\nc\r"), uint8(0), uint8(5), uint8(1))
	f.Add([]byte("\r\r\n\n\r\n"), uint8(2), uint8(1), uint8(3))
	f.Add([]byte("long line\r\nx\r\n"), uint8(2), uint8(4), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, eol, max, step uint8) {
		e, m, s := EOL(eol%4), int(max)+1, int(step)+1
		text = append(text, e.Append(nil)...) // so that nothing is unfinished
		want, tooLong, skipped := reference(e, m, string(text))
		l := newLines(e, m)
		var pieces []string
		for p := range slices.Chunk(text, s) {
			pieces = append(pieces, string(p))
		}
		got := take(l, pieces...)
		if !slices.Equal(got, want) || l.Stats().TooLong != tooLong || l.Stats().Skipped != skipped {
			t.Fatalf("%v, longest %d, pieces %q:\n got %q %d %d\nwant %q %d %d",
				e, m, pieces, got, l.Stats().TooLong, l.Stats().Skipped, want, tooLong, skipped)
		}
	})
}

func TestParseEOL(t *testing.T) {
	for _, e := range []EOL{Auto, LF, CRLF, CR} {
		if got, err := ParseEOL(e.String()); err != nil || got != e {
			t.Errorf("ParseEOL(%q) = %v, %v", e.String(), got, err)
		}
	}
	if _, err := ParseEOL("nl"); err == nil || err.Error() != `end of line is "nl", want auto, lf, crlf or cr` {
		t.Errorf("ParseEOL(nl): %v", err)
	}
	if got := EOL(9).String(); got != "EOL(9)" {
		t.Errorf("String of an unknown end is %q", got)
	}
}

func TestLinesAllocateNothing(t *testing.T) {
	l := newLines(Auto, 256)
	stream := bytes.Repeat([]byte("ST,GS,   123.4 kg\r\n"), 7)
	n := testing.AllocsPerRun(100, func() {
		for piece := range slices.Chunk(stream, 23) {
			l.Feed(piece)
			for _, ok := l.Next(); ok; _, ok = l.Next() {
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkLines(b *testing.B) {
	for _, size := range []int{16, 4096} {
		b.Run(fmt.Sprintf("pieces of %d", size), func(b *testing.B) {
			stream := bytes.Repeat([]byte("ST,GS,   123.4 kg\r\n"), 1000)
			l := newLines(Auto, 4096)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for piece := range slices.Chunk(stream, size) {
					l.Feed(piece)
					for _, ok := l.Next(); ok; _, ok = l.Next() {
					}
				}
			}
		})
	}
}
