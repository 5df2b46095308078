package protocol

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// Secret is a password or token. It prints as "(secret)" wherever it is
// formatted, logged or marshalled; Reveal gives the text to the library that
// needs it.
type Secret string

const hidden = "(secret)"

// Reveal returns the secret's text.
func (s Secret) Reveal() string { return string(s) }

// String returns "(secret)", or "" when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format keeps the secret out of every verb of package fmt, the wrong ones too.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue keeps the secret out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the secret out of JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// QuoteURL quotes an address for an error or a log, without what may be a
// password in it: what stands before an @ or behind the path.
func QuoteURL(text string) string {
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		text = "…" + text[i:]
	}
	if i := strings.IndexAny(text, "?&;#"); i >= 0 {
		text = text[:i] + "…"
	}
	return strconv.Quote(text)
}
