package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"sluice/protocol/checksum"
)

// Checksum says where a frame carries which checksum. Offsets count bytes from
// the frame's first, with the delimiters and headers that the kind has, and
// from its end when they are negative. The checksum is taken off a payload that
// ends with it; frames of the kinds fixed, prefixed and idle stay whole.
type Checksum struct {
	Name  string `yaml:"name"`  // of the RevEng catalogue, such as CRC-16/MODBUS, or sum8, sum8-complement, sum8-inverted, sum16, xor, lrc
	Order string `yaml:"order"` // of its bytes: big (default) or little
	At    *int   `yaml:"at"`    // where it stands; default: last
	From  *int   `yaml:"from"`  // the first byte that it covers; default: behind the start
	To    *int   `yaml:"to"`    // the first that it does not cover any more; default: the checksum's place, the frame's end for one that stands first
	After string `yaml:"after"` // it stands last and as hexadecimal digits behind this text, which it does not cover
}

func (c *Checksum) validate(report func(field, problem string)) {
	if c == nil {
		return
	}
	sum, known := checksum.Lookup(c.Name)
	if c.Name == "" {
		report("checksum.name", "is required: "+checksum.Wanted)
	} else if !known {
		report("checksum.name", fmt.Sprintf("is %q, want %s", c.Name, checksum.Wanted))
	}
	switch c.Order {
	case "", "big", "little":
	default:
		report("checksum.order", fmt.Sprintf("is %q, want big or little", c.Order))
	}
	switch {
	case c.After != "" && c.At != nil:
		report("checksum.at", "does not go with after, which says where the checksum stands")
	case c.At != nil && known && *c.At < 0 && *c.At > -sum.Width():
		report("checksum.at", fmt.Sprintf("is %d, want %d or less: the checksum has %d bytes", *c.At, -sum.Width(), sum.Width()))
	case c.After != "" && c.Order == "little":
		report("checksum.order", "does not go with after: digits are written with the high byte first")
	}
}

// check is a Checksum, compiled; nil: frames have none.
type check struct {
	sum    checksum.Sum
	little bool
	at     int
	from   int
	to     *int // nil: to the checksum or the end
	after  []byte
	behind int // bytes behind a checksum that stands last: the end delimiter
}

// newCheck compiles c for frames whose payload begins after head bytes and has
// behind bytes after it.
func newCheck(c *Checksum, head, behind int) *check {
	if c == nil {
		return nil
	}
	sum, _ := checksum.Lookup(c.Name)
	k := &check{sum: sum, little: c.Order == "little", at: -behind - sum.Width(), from: head, to: c.To, after: []byte(c.After), behind: behind}
	if c.At != nil {
		k.at = *c.At
	}
	if c.From != nil {
		k.from = *c.From
	}
	return k
}

// offset returns where in a frame of n bytes an offset leads.
func offset(at, n int) int {
	if at < 0 {
		return n + at
	}
	return at
}

// holds reports whether the frame's checksum is right, and from where to where
// the checksum stands.
func (k *check) holds(frame []byte) (ok bool, start, end int) {
	if k == nil {
		return true, len(frame), len(frame)
	}
	n := len(frame)
	if len(k.after) > 0 {
		start, end = bytes.LastIndex(frame, k.after), n-k.behind
		if start < 0 || end-start != len(k.after)+2*k.sum.Width() {
			return false, 0, 0
		}
	} else {
		start = offset(k.at, n)
		end = start + k.sum.Width()
	}
	from, to := offset(k.from, n), start
	switch {
	case k.to != nil:
		to = offset(*k.to, n)
	case start <= from && end < n: // it stands first
		to = n
	}
	if start < 0 || end > n || from < 0 || from > to || to > n {
		return false, 0, 0
	}
	want, ok := k.read(frame[start:end])
	return ok && k.sum.Of(frame[from:to]) == want, start, end
}

// read returns the checksum that a frame carries.
func (k *check) read(p []byte) (sum uint64, ok bool) {
	if len(k.after) > 0 {
		var digits [8]byte
		n, err := hex.Decode(digits[:], p[len(k.after):])
		if err != nil {
			return 0, false
		}
		p = digits[:n]
	}
	for i := range p {
		c := p[i]
		if k.little {
			c = p[len(p)-1-i]
		}
		sum = sum<<8 | uint64(c)
	}
	return sum, true
}

// strip returns the payload without the checksum that it ends with, and whether
// it is right.
func (k *check) strip(payload []byte) ([]byte, bool) {
	ok, start, end := k.holds(payload)
	if end == len(payload) {
		payload = payload[:start]
	}
	return payload, ok
}
