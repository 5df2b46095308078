package mqtt

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestParseTopic(t *testing.T) {
	for text, want := range map[string]string{
		"readings/{gateway}/{device}": "",
		"/leading/{area}":             "",
		"$aws/rules/plant/{device}":   "",
		"a b/ünï":                     "",
		"":                            "is empty",
		"a/+/b":                       "for subscribers",
		"a/#":                         "for subscribers",
		"a\x00b":                      "control characters",
		"a\xff":                       "control characters",
		"$SYS/x":                      "belong to the broker",
		"$share/g/x":                  "belong to the broker",
		"${device}/x":                 "plain text",
		"{device":                     "has no }",
		strings.Repeat("a", 401):      "longer than 400 bytes",
	} {
		_, err := parseTopic(text)
		if want == "" {
			if err != nil {
				t.Errorf("parseTopic(%q) = %v", text, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseTopic(%q) = %v, want %q in it", text, err, want)
		}
	}
}

func TestEscapedNames(t *testing.T) {
	for name, want := range map[string]string{
		"": "%", "s1": "s1", "a b.c": "a b.c", "a/b": "a%2Fb", "+": "%2B", "#": "%23", "$SYS": "%24SYS", "%": "%25",
		"\x00": "%00", "\xff": "%FF", "ünï": "ünï", "\u0085": "%C2%85", "\ufffe": "%EF%BF%BE",
	} {
		if got := string(escape(nil, name)); got != want {
			t.Errorf("escape(%q) = %q, want %q", name, got, want)
		}
	}
}

// Whatever a device is called, its name is one level of a topic that a broker
// takes, and no other name gives the same.
func TestEscapeStaysInItsLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.StringMatching(`[+#/$%~a]{0,4}`), rapid.Just(strings.Repeat("é/", 120)))
		a := word.Draw(t, "a") + word.Draw(t, "more")
		b := word.Draw(t, "b")
		level, other := string(escape(nil, a)), string(escape(nil, b))
		if level == "" || len(level) > 200 || !utf8.ValidString(level) || strings.ContainsAny(level, "+#/$\x00") {
			t.Fatalf("escape(%q) = %q", a, level)
		}
		if (a == b) != (level == other) {
			t.Fatalf("%q and %q give %q and %q", a, b, level, other)
		}
	})
}
