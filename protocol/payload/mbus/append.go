package mbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"sluice/protocol"
)

// Frame is what AppendFrame puts into a long frame: the answer of a meter with
// a long header.
type Frame struct {
	Address      byte
	ID           uint32 // eight decimal digits
	Manufacturer string // three capital letters, or none
	Version      byte
	Medium       byte
	Access       byte // counts the answers
	Status       byte
	Records      []Record
	More         bool // more records follow in the next frame
}

// Record is one value of a meter.
type Record struct {
	Function Function
	Storage  uint64 // below 2^41
	Tariff   uint32 // below 2^20
	Subunit  uint32 // below 2^10
	Coding   Coding

	// VIF is as it is sent, with its extensions; {0x06} is an energy in kWh. The
	// value counts what it says: an int, a float for Real32, a text for Variable.
	// Null is sent as what is not available, where the coding can say so.
	VIF   []byte
	Value protocol.Value
}

// respond is the control field of an answer.
const respond = 0x08

// AppendFrame appends f as a meter sends it. An error says that a value does not
// fit its coding, or that the frame would be longer than 255 bytes can tell; then
// dst is returned as it was.
func AppendFrame(dst []byte, f Frame) ([]byte, error) {
	if f.ID > 99999999 {
		return dst, fmt.Errorf("append frame: id %d has more than 8 digits", f.ID)
	}
	maker := codeOf(f.Manufacturer)
	if f.Manufacturer != letters(maker) {
		return dst, fmt.Errorf("append frame: manufacturer %q is not three capital letters", f.Manufacturer)
	}
	body := slices.Grow(dst, 261)
	body = append(body, longStart, 0, 0, longStart, respond, f.Address, longCI)
	body = appendDigits(body, uint64(f.ID), 4)
	body = binary.LittleEndian.AppendUint16(body, maker)
	body = append(body, f.Version, f.Medium, f.Access, f.Status, 0, 0)
	var err error
	for i := range f.Records {
		if body, err = f.Records[i].append(body); err != nil {
			return dst, fmt.Errorf("append record %d: %w", i+1, err)
		}
	}
	if f.More {
		body = append(body, moreFollows)
	}
	length := len(body) - len(dst) - 4
	if length > math.MaxUint8 {
		return dst, fmt.Errorf("append frame: %d bytes, want at most %d", length, math.MaxUint8)
	}
	body[len(dst)+1], body[len(dst)+2] = byte(length), byte(length)
	return append(body, sumOf(body[len(dst)+4:]), stop), nil
}

func (r *Record) append(dst []byte) ([]byte, error) {
	if r.Storage>>41 != 0 || r.Tariff>>20 != 0 || r.Subunit>>10 != 0 {
		return dst, fmt.Errorf("storage %d, tariff %d or unit %d is too large", r.Storage, r.Tariff, r.Subunit)
	}
	if len(r.VIF) == 0 || r.Coding > BCD12 {
		return dst, fmt.Errorf("no VIF, or no coding %x", byte(r.Coding))
	}
	dst = append(dst, byte(r.Coding)|byte(r.Function&3)<<4|byte(r.Storage&1)<<6)
	storage, tariff, subunit := r.Storage>>1, r.Tariff, r.Subunit
	for storage != 0 || tariff != 0 || subunit != 0 {
		dst[len(dst)-1] |= 0x80
		dst = append(dst, byte(storage&0x0f)|byte(tariff&3)<<4|byte(subunit&1)<<6)
		storage, tariff, subunit = storage>>4, tariff>>2, subunit>>1
	}
	return r.appendValue(append(dst, r.VIF...))
}

// appendValue appends the value in its coding.
func (r *Record) appendValue(dst []byte) ([]byte, error) {
	width := widths[r.Coding&0x0f]
	switch r.Coding {
	case Variable:
		return appendText(dst, r.Value.Text())
	case Real32:
		f, ok := r.Value.Number()
		if !ok {
			f = math.NaN()
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
	case BCD2, BCD4, BCD6, BCD8, BCD12:
		return r.appendBCD(dst, width)
	}
	shift := 64 - 8*width
	n := int64(math.MinInt64) >> shift
	if width > 0 && !r.Value.IsNull() {
		lowest, ok := n, false
		if n, ok = r.whole(); !ok || n == lowest || n<<shift>>shift != n {
			return dst, fmt.Errorf("%v is no integer of %d bytes", r.Value, width)
		}
	}
	for i := range width {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst, nil
}

// whole returns an integer value.
func (r *Record) whole() (int64, bool) {
	switch r.Value.Kind() {
	case protocol.KindInt:
		return r.Value.Int(), true
	case protocol.KindUint:
		return int64(r.Value.Uint()), r.Value.Uint() <= math.MaxInt64
	}
	return 0, false
}

// appendBCD appends the digits of an integer; F in place of the first digit is
// its minus sign, F everywhere is no value.
func (r *Record) appendBCD(dst []byte, width int) ([]byte, error) {
	if r.Value.IsNull() {
		return append(dst, slices.Repeat([]byte{0xff}, width)...), nil
	}
	n, ok := r.whole()
	limit := int64(math.Pow10(2 * width))
	if !ok || n >= limit || n <= -limit/10 {
		return dst, fmt.Errorf("%v is no number of %d digits", r.Value, 2*width)
	}
	if n >= 0 {
		return appendDigits(dst, uint64(n), width), nil
	}
	dst = appendDigits(dst, uint64(-n), width)
	dst[len(dst)-1] |= 0xf0
	return dst, nil
}

// appendDigits appends n in width bytes of two digits, low ones first.
func appendDigits(dst []byte, n uint64, width int) []byte {
	for range width {
		dst = append(dst, byte(n%10|n/10%10<<4))
		n /= 100
	}
	return dst
}

// appendText appends a text of Latin-1 with its length, backwards.
func appendText(dst []byte, text string) ([]byte, error) {
	const longest = 0xbf
	at := len(dst)
	dst = append(dst, 0)
	for _, c := range text {
		if c > 0xff {
			return dst, fmt.Errorf("text %q is not Latin-1", text)
		}
		dst = append(dst, byte(c))
	}
	n := len(dst) - at - 1
	if n > longest {
		return dst, fmt.Errorf("text of %d characters, want at most %d", n, longest)
	}
	dst[at] = byte(n)
	slices.Reverse(dst[at+1:])
	return dst, nil
}

// TimeOf returns local as the value of a record of VIF 6D in Int32: to the
// minute, for the years 1981 to 2080.
func TimeOf(local time.Time) protocol.Value {
	year := uint32(local.Year() % 100)
	n := uint32(local.Minute()) | uint32(local.Hour())<<8 | uint32(local.Day())<<16
	n |= year&7<<21 | uint32(local.Month())<<24 | year>>3<<28
	return protocol.Int(int64(int32(n)))
}
