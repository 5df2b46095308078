package nats

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/sink"
)

// A server closes the connection for good on a control line beyond 4096 bytes,
// so what is captured stays below.
const (
	longestToken   = 200  // of an escaped name
	keptOfLong     = 150  // of one that is longer
	longestSubject = 2048 // beyond it a reading is rejected
	longestPattern = 400  // of a template in the configuration
)

// parseSubject reads a subject template. It begins with a literal token that is
// none of the server's own, and has no wildcard, blank or empty token.
func parseSubject(text string) (*sink.Template, error) {
	t, err := sink.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(text, ".")
	switch {
	case strings.ContainsAny(text, "*>"):
		err = errors.New("* and > are for subscribers")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		err = errors.New("a subject has no blanks")
	case text == "" || strings.HasPrefix(text, ".") || strings.HasSuffix(text, ".") || strings.Contains(text, ".."):
		err = errors.New("a part between dots is empty")
	case strings.ContainsAny(first, "{}"):
		err = errors.New("the part before the first dot has to be plain text, such as readings")
	case strings.HasPrefix(first, "$") || strings.HasPrefix(first, "_INBOX"):
		err = fmt.Errorf("subjects of %s belong to the server", first)
	case len(text) > longestPattern:
		err = fmt.Errorf("it is longer than %d bytes", longestPattern)
	}
	if err != nil {
		return nil, fmt.Errorf("subject %q: %w", text, err)
	}
	return t, nil
}

// SubjectOf returns the subject on which a sink of c publishes the readings of d,
// for people who ask; the error says that the template is wrong.
func SubjectOf(c Config, gateway string, d *protocol.Device) (string, error) {
	t, err := parseSubject(c.Subject)
	if err != nil {
		return "", err
	}
	return string(t.Append(nil, gateway, d, escape)), nil
}

// streamSubject returns the subject that a new stream takes: all below the
// literal tokens that t begins with.
func streamSubject(t *sink.Template) string {
	if len(t.Names()) == 0 {
		return t.String()
	}
	prefix := t.Prefix()
	return prefix[:strings.LastIndexByte(prefix, '.')] + ".>"
}

// ownSubjects returns the subjects that t makes for the gateway: what only a
// device tells becomes a wildcard.
func ownSubjects(t *sink.Template, gateway string) string {
	const unknown = "\x00"
	d := &protocol.Device{Name: unknown, Profile: unknown, Driver: unknown}
	for _, name := range t.Names() {
		d.Tags = append(d.Tags, protocol.Tag{Key: name, Value: unknown})
	}
	subject := t.Append(nil, gateway, d, func(dst []byte, s string) []byte {
		if s == unknown {
			return append(dst, unknown...)
		}
		return escape(dst, s)
	})
	tokens := strings.Split(string(subject), ".")
	for i, token := range tokens {
		if strings.Contains(token, unknown) {
			tokens[i] = "*"
		}
	}
	return strings.Join(tokens, ".")
}

// takes reports whether one of the patterns covers all subjects that own does.
func takes(patterns []string, own string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, own) })
}

func covers(pattern, own string) bool {
	for {
		want, wantRest, wantMore := strings.Cut(pattern, ".")
		have, haveRest, haveMore := strings.Cut(own, ".")
		switch {
		case want == ">":
			return true
		case want != "*" && want != have:
			return false
		case !wantMore || !haveMore:
			return wantMore == haveMore
		}
		pattern, own = wantRest, haveRest
	}
}

// escape appends a captured name as part of a subject token. Letters and digits
// of any script and - _ = + @ : ~ stay, every other byte becomes %XX, and the
// empty name "%". Different names stay different: what is longer than 200 bytes
// then is cut and ends in %~ and half of its SHA-256.
func escape(dst []byte, s string) []byte {
	start := len(dst)
	if s == "" {
		return append(dst, '%')
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if isSafe(r) && (r != utf8.RuneError || n > 1) {
			dst = append(dst, s[i:i+n]...)
		} else {
			for _, c := range []byte(s[i : i+n]) {
				dst = appendPercent(dst, c)
			}
		}
		i += n
	}
	if len(dst)-start <= longestToken {
		return dst
	}
	cut := start + keptOfLong
	for cut > start && !utf8.RuneStart(dst[cut]) {
		cut--
	}
	sum := sha256.Sum256([]byte(s))
	return hex.AppendEncode(append(dst[:cut], "%~"...), sum[:16])
}

func isSafe(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.IndexByte("-_=+@:~", byte(r)) >= 0
	}
	return unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number)
}

func appendPercent(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}
