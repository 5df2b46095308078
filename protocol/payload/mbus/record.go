package mbus

import (
	"strconv"

	"sluice/protocol"
)

// The special functions of a DIF.
const (
	manufacturerTail = 0x0f
	moreFollows      = 0x1f
	filler           = 0x2f
)

// The VIFs that need more than a table.
const (
	extendedFB      = 0x7b
	plainText       = 0x7c
	extendedFD      = 0x7d
	manufacturerVIF = 0x7f
)

// The limits of a record; one that is beyond them is refused with the reason
// "size".
const (
	maxDIFE = 10
	maxVIFE = 10
)

// Function says what of a quantity a record holds.
type Function byte

// The functions of a record, as the DIF has them.
const (
	Instantaneous Function = iota
	Maximum
	Minimum
	DuringError
)

// record is the head of one record.
type record struct {
	quantity
	coding   byte // the data field of the DIF
	function Function
	storage  uint64
	tariff   uint32
	subunit  uint32
	per      string // what VIFEs put behind the unit
	failed   bool   // a VIFE says that there is no value
	changed  bool   // VIFEs changed what it measures
	second   bool   // the next VIFE is of the second table
	own      bool   // all further VIFEs are the manufacturer's, or of a table that is not known
}

// scanner walks over the records of a telegram. It stops at the first mistake.
type scanner struct {
	src []byte
	pos int
	err *protocol.Refusal
}

// byte reads a byte; 0 at the end, which is a mistake.
func (s *scanner) byte() byte {
	if p := s.take(1); len(p) == 1 {
		return p[0]
	}
	return 0
}

// take reads n bytes; none when there are less, which is a mistake.
func (s *scanner) take(n int) []byte {
	if s.err != nil {
		return nil
	}
	if len(s.src)-s.pos < n {
		s.err = protocol.Refuse("syntax", "the records end in the middle of one, at byte %d", len(s.src))
		return nil
	}
	p := s.src[s.pos : s.pos+n]
	s.pos += n
	return p
}

// readRecord reads the head that dif begins, and appends the record's name.
func (t *telegram) readRecord(s *scanner, dif byte, name []byte) (record, []byte) {
	r := record{coding: dif & 0x0f, function: Function(dif >> 4 & 3), storage: uint64(dif >> 6 & 1)}
	r.readDIFE(s, dif&0x80 != 0)
	name = t.readVIF(s, &r, name)
	return r, r.appendPlace(name)
}

// readDIFE reads the extensions of a DIF: four bits of the storage number, two
// of the tariff and one of the subunit each, low bits first.
func (r *record) readDIFE(s *scanner, more bool) {
	for n := 0; more; n++ {
		if n == maxDIFE {
			s.err = protocol.Refuse("size", "more than %d DIFEs", maxDIFE)
			return
		}
		c := s.byte()
		r.storage |= uint64(c&0x0f) << (1 + 4*n)
		r.tariff |= uint32(c>>4&3) << (2 * n)
		r.subunit |= uint32(c>>6&1) << n
		more = c&0x80 != 0
	}
}

// readVIF reads the VIF with its extensions, and appends what they say to name.
func (t *telegram) readVIF(s *scanner, r *record, name []byte) []byte {
	vif := s.byte()
	more := vif&0x80 != 0
	n := 0
	switch vif & 0x7f {
	case plainText:
		name = t.appendLabel(name, r, s.take(int(s.byte())))
	case manufacturerVIF:
		r.own = true
		name = append(name, "manufacturer"...)
	case extendedFD, extendedFB:
		if !more { // Sensus sends that: what it means is its own
			name = r.measure(name, primary, vif, "vif_")
			break
		}
		table, prefix := extensionFD, "vif_fd_"
		if vif&0x7f == extendedFB {
			table, prefix = extensionFB, "vif_fb_"
		}
		code := s.byte()
		name = r.measure(name, table, code&0x7f, prefix)
		r.own = code&0x7f >= extendedFB && r.name == "" // of further tables nothing is known
		more = code&0x80 != 0
		n++
	default:
		name = r.measure(name, primary, vif&0x7f, "vif_")
	}
	for ; more; n++ {
		if n == maxVIFE {
			s.err = protocol.Refuse("size", "more than %d VIFEs", maxVIFE)
			return name
		}
		code := s.byte()
		name = r.modify(name, code&0x7f)
		more = code&0x80 != 0
	}
	return name
}

// measure looks up what a code stands for; one that a table does not hold is a
// number, named by the code.
func (r *record) measure(name []byte, table []span, code byte, prefix string) []byte {
	q, ok := find(table, code)
	r.quantity = q
	if !ok {
		r.sort = plain
		return appendHex(append(name, prefix...), code)
	}
	return append(name, q.name...)
}

// appendLabel appends a unit in plain text as the name of a record: letters and
// digits, other characters become one underscore.
func (t *telegram) appendLabel(name []byte, r *record, text []byte) []byte {
	r.sort = plain
	label := t.label[:0]
	for _, c := range t.high(text) {
		if letterOrDigit(c) {
			label = append(label, c)
		} else if len(label) > 0 && label[len(label)-1] != '_' {
			label = append(label, '_')
		}
	}
	if len(label) > 0 && label[len(label)-1] == '_' {
		label = label[:len(label)-1]
	}
	t.label = label
	switch string(label) {
	case "":
		return append(name, "plain_text"...)
	case "RH":
		r.unit = "%"
		return append(name, "relative_humidity"...)
	}
	return append(name, label...)
}

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// appendPlace appends what sets a record apart from the present value.
func (r *record) appendPlace(name []byte) []byte {
	switch r.function {
	case Maximum:
		name = append(name, "_max"...)
	case Minimum:
		name = append(name, "_min"...)
	case DuringError:
		name = append(name, "_error"...)
	}
	name = appendNumbered(name, "_storage_", r.storage)
	name = appendNumbered(name, "_tariff_", uint64(r.tariff))
	return appendNumbered(name, "_unit_", uint64(r.subunit))
}

func appendNumbered(name []byte, word string, n uint64) []byte {
	if n == 0 {
		return name
	}
	return strconv.AppendUint(append(name, word...), n, 10)
}

// present reports whether the record is the present value of its quantity.
func (r *record) present() bool {
	return r.function == Instantaneous && r.storage == 0 && r.tariff == 0 && r.subunit == 0 && !r.changed
}
