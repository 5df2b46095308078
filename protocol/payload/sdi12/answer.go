package sdi12

import (
	"bytes"
	"time"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// Start is the answer to a command that starts a measurement.
type Start struct {
	Address byte
	Ready   time.Duration // until the values may be asked for
	Count   int           // of values
}

// ParseStart reads the answer to aM!, aC!, aH… and their variants: an address,
// three digits of seconds and the count in one, two or three digits. The error
// is a *protocol.Refusal.
func ParseStart(message []byte) (Start, error) {
	text, refusal := trimmed(message)
	if refusal != nil {
		return Start{}, refusal
	}
	if len(text) >= 5 && len(text) <= 7 {
		seconds, ok1 := plain.Natural(text[1:4])
		count, ok2 := plain.Natural(text[4:])
		if ok1 && ok2 {
			return Start{text[0], time.Duration(seconds) * time.Second, count}, nil
		}
	}
	return Start{}, protocol.Refuse("syntax", "want an address, seconds and a count, found %q", excerpt(text))
}

// Identity is the answer to aI!.
type Identity struct {
	Address byte
	Version string // of SDI-12, such as "1.4"
	Vendor  string
	Model   string
	Release string // of the sensor
	Serial  string // or other text of the maker, "" when there is none
}

// ParseIdentity reads the answer to aI!: an address, two digits of the version,
// eight characters of the vendor, six of the model, three of the release, then
// up to 13 of the maker's choice. The error is a *protocol.Refusal.
func ParseIdentity(message []byte) (Identity, error) {
	text, refusal := trimmed(message)
	if refusal != nil {
		return Identity{}, refusal
	}
	if len(text) < 20 {
		return Identity{}, protocol.Refuse("syntax", "identity of %d bytes, want at least 20", len(text))
	}
	if _, ok := plain.Natural(text[1:3]); !ok {
		return Identity{}, protocol.Refuse("syntax", "want an address and a version, found %q", excerpt(text))
	}
	if !utf8.Valid(text) {
		return Identity{}, protocol.Refuse("utf8", "the identity is %q", excerpt(text))
	}
	word := func(from, to int) string { return string(bytes.TrimSpace(text[from:to])) }
	return Identity{
		Address: text[0],
		Version: string(text[1:2]) + "." + string(text[2:3]),
		Vendor:  word(3, 11),
		Model:   word(11, 17),
		Release: word(17, 20),
		Serial:  word(20, len(text)),
	}, nil
}
