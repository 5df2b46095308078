package config

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"url", "qos", "tls", "client_id", "keep_alive", "topic", "max_readings", "max_age"}
	for word, want := range map[string][]string{
		"topik":      {"topic"},
		"tpoic":      {"topic"},
		"TOPIC":      {"topic"},
		"clientID":   {"client_id"},
		"keep-alive": {"keep_alive"},
		"max_redngs": {"max_readings"},
		"uri":        {"url"},
		"tos":        {"qos", "tls"},
		"max_agee":   {"max_age"},
		"id":         nil,
		"colour":     nil,
		"":           nil,
	} {
		if got := nearest(word, known); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"abc", "acb", 1}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"été", "ete", 2},
	} {
		if got := distance([]rune(c.a), []rune(c.b), 3); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestOneOf(t *testing.T) {
	for want, words := range map[string][]string{
		"":          nil,
		"a":         {"a"},
		"a or b":    {"a", "b"},
		"a, b or c": {"a", "b", "c"},
	} {
		if got := oneOf(words); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
