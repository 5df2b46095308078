package mqtt

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/sink"
)

// A topic has at most 65535 bytes, which these bounds keep far away.
const (
	longestName    = 200 // of an escaped name
	keptOfLong     = 150 // of one that is longer
	longestPattern = 400 // of a template in the configuration
)

// parseTopic reads a topic template. It has no wildcard and no control
// character, and leads nowhere that is the broker's own.
func parseTopic(text string) (*sink.Template, error) {
	t, err := sink.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(text, "/")
	switch {
	case text == "":
		err = errors.New("it is empty")
	case strings.ContainsAny(text, "+#"):
		err = errors.New("+ and # are for subscribers")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		err = errors.New("a topic has no control characters")
	case first == "$SYS" || first == "$share" || first == "$queue":
		err = fmt.Errorf("topics below %s belong to the broker", first)
	case first != "" && first[0] == '$' && strings.Contains(first, "{"):
		err = errors.New("a level that begins with $ has to be plain text")
	case len(text) > longestPattern:
		err = fmt.Errorf("it is longer than %d bytes", longestPattern)
	}
	if err != nil {
		return nil, fmt.Errorf("topic %q: %w", text, err)
	}
	return t, nil
}

// TopicOf returns the topic on which a sink of c publishes the readings of d, for
// people who ask; the error says that the template is wrong.
func TopicOf(c Config, gateway string, d *protocol.Device) (string, error) {
	t, err := parseTopic(c.Topic)
	if err != nil {
		return "", err
	}
	return string(t.Append(nil, gateway, d, escape)), nil
}

// escape appends a captured name as part of a topic level. What can be printed
// stays, but for / + # $ %; every other byte becomes %XX, and the empty name "%".
// So a name stays within its level, no level is a wildcard or empty, and none
// begins with a $ of a name's. Different names stay different: what is longer
// than 200 bytes then is cut and ends in %~ and half of its SHA-256.
func escape(dst []byte, s string) []byte {
	start := len(dst)
	if s == "" {
		return append(dst, '%')
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if isPlain(r) && (r != utf8.RuneError || n > 1) {
			dst = append(dst, s[i:i+n]...)
		} else {
			for _, c := range []byte(s[i : i+n]) {
				dst = appendPercent(dst, c)
			}
		}
		i += n
	}
	if len(dst)-start <= longestName {
		return dst
	}
	cut := start + keptOfLong
	for cut > start && !utf8.RuneStart(dst[cut]) {
		cut--
	}
	sum := sha256.Sum256([]byte(s))
	return hex.AppendEncode(append(dst[:cut], "%~"...), sum[:16])
}

func isPlain(r rune) bool { return unicode.IsPrint(r) && !strings.ContainsRune("/+#$%", r) }

func appendPercent(dst []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[c>>4], digits[c&15])
}
