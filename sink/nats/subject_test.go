package nats

import (
	"strings"
	"testing"

	"sluice/protocol"
)

func TestEscape(t *testing.T) {
	for name, want := range map[string]string{
		"":                        "%",
		"s-1_A=b+c@d:e~f":         "s-1_A=b+c@d:e~f",
		"*":                       "%2A",
		">":                       "%3E",
		".":                       "%2E",
		"a..b":                    "a%2E%2Eb",
		"$JS.API.STREAM.DELETE.X": "%24JS%2EAPI%2ESTREAM%2EDELETE%2EX",
		"a b\t\r\n\x00\x7f":       "a%20b%09%0D%0A%00%7F",
		"%":                       "%25",
		"%2A":                     "%252A",
		"Größe_温度":                "Größe_温度",
		"\u00a0\u2028\u200b":      "%C2%A0%E2%80%A8%E2%80%8B",
		"a\xffb":                  "a%FFb",
		"\uFFFD":                  "%EF%BF%BD",
	} {
		if got := string(escape([]byte("readings."), name)); got != "readings."+want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestEscapeKeepsLongNamesApart(t *testing.T) {
	long := strings.Repeat("é", 500)
	seen := map[string]string{}
	for _, name := range []string{long, long + "a", long + "b", strings.Repeat(".", 1000), strings.Repeat("a", 200), strings.Repeat("a", 201)} {
		got := string(escape(nil, name))
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q share %q", name, other, got)
		}
		seen[got] = name
		if len(got) > longestToken || !isToken(got) {
			t.Errorf("escape of %d bytes = %q", len(name), got)
		}
	}
}

// isToken reports whether s may stand between the dots of a subject.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("*>.$\x7f\uFFFD", r) })
}

// unescape is the inverse of escape for names that are not cut.
func unescape(s string) string {
	if s == "%" {
		return ""
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		const digits = "0123456789ABCDEF"
		out = append(out, byte(strings.IndexByte(digits, s[i+1])<<4|strings.IndexByte(digits, s[i+2])))
		i += 2
	}
	return string(out)
}

func FuzzEscape(f *testing.F) {
	for _, name := range []string{"", "%", "a.b", "*\xff>", "é 温"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		token := string(escape(nil, name))
		if !isToken(token) || len(token) > longestToken {
			t.Fatalf("escape(%q) = %q", name, token)
		}
		if !strings.Contains(token, "%~") && unescape(token) != name {
			t.Fatalf("escape(%q) = %q reads back as %q", name, token, unescape(token))
		}
	})
}

func TestSubjects(t *testing.T) {
	d := &protocol.Device{Name: "a.b", Tags: []protocol.Tag{{Key: "area", Value: ""}}}
	for text, want := range map[string][2]string{
		"readings.{gateway}.{device}": {"readings.plant-7.a%2Eb", "readings.>"},
		"a.b.x-{device}":              {"a.b.x-a%2Eb", "a.b.>"},
		"all":                         {"all", "all"},
		"all.{area}.{nix}.end":        {"all.%._.end", "all.>"},
	} {
		pattern, err := parseSubject(text)
		if err != nil {
			t.Errorf("parseSubject(%q): %v", text, err)
			continue
		}
		got := [2]string{string(pattern.Append(nil, "plant-7", d, escape)), streamSubject(pattern)}
		if got != want {
			t.Errorf("%q: subject and stream's subject %q, want %q", text, got, want)
		}
	}
}

func TestOwnSubjects(t *testing.T) {
	for text, want := range map[string]string{
		"readings.{gateway}.{device}":   "readings.plant%2E7.*",
		"a.{area}.x-{gateway}.end":      "a.*.x-plant%2E7.end",
		"a.x-{device}-{gateway}.{a.b}c": "a.*.*",
		"all":                           "all",
	} {
		pattern, err := parseSubject(text)
		if err != nil {
			t.Errorf("parseSubject(%q): %v", text, err)
			continue
		}
		if got := ownSubjects(pattern, "plant.7"); got != want {
			t.Errorf("own subjects of %q: %q, want %q", text, got, want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		pattern, own string
		want         bool
	}{
		{">", "a", true}, {"a", "a", true}, {"a.>", "a.*", true}, {"a.>", "a.b.*", true}, {"a.*.*", "a.b.*", true},
		{"a.>", "a", false}, {"a", "a.b", false}, {"a.b", "a", false}, {"a.b", "a.*", false}, {"a.*", "a.b.c", false}, {"b.>", "a.*", false},
	} {
		if got := covers(tt.pattern, tt.own); got != tt.want {
			t.Errorf("covers(%q, %q) = %v", tt.pattern, tt.own, got)
		}
	}
}

func TestSubjectsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "is empty",
		"a.*.{device}":           "for subscribers",
		"a.>":                    "for subscribers",
		"a b.{device}":           "no blanks",
		"a..{device}":            "is empty",
		"a.":                     "is empty",
		".a":                     "is empty",
		"{device}":               "has to be plain text",
		"x{device}.a":            "has to be plain text",
		"$JS.API":                "belong to the server",
		"_INBOX.{device}":        "belong to the server",
		"a.{device":              "has no }",
		strings.Repeat("a", 500): "longer than",
	} {
		if _, err := parseSubject(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseSubject(%q) = %v, want %q in it", text, err, want)
		}
	}
}

func TestBackoffStaysInBounds(t *testing.T) {
	if backoff(0) != 0 || backoff(1) != 0 {
		t.Error("the first attempt waits")
	}
	for n := 2; n < 100; n++ {
		if d := backoff(n); d < fastest/2 || d > slowest {
			t.Errorf("backoff(%d) = %v", n, d)
		}
	}
}
