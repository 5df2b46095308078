package sml

import (
	"encoding/binary"
	"math"
	"time"

	"sluice/protocol"
	"sluice/protocol/checksum"
	"sluice/protocol/frame"
)

// File is what AppendFile puts into a file: the list that a meter pushes.
type File struct {
	ServerID    []byte
	Transaction uint32             // names the first of the three messages, the others count on
	Seconds     uint32             // since the meter was switched on
	Time        protocol.Timestamp // when it is not 0, the meter has a clock and sends it in place of Seconds
	Entries     []Entry
}

// Entry is one value of a meter.
type Entry struct {
	OBIS   [6]byte
	Status uint64             // 0 sends none
	Time   protocol.Timestamp // 0 sends none
	Unit   string             // one that the package knows, or ""
	Scaler int8               // the value is sent in units of 10^Scaler
	Value  protocol.Value     // an integer counts such units already, a float is rounded to them
}

// AppendFile appends f as a meter sends it, in its transport frame with all
// checksums: SML_PublicOpen.Res, SML_GetList.Res, SML_PublicClose.Res. Times are
// cut to seconds. A file may hold 256 entries and 65536 bytes.
func AppendFile(dst []byte, f File) []byte {
	sum := x25()
	file := appendMessage(nil, sum, f.Transaction, 0x0101, f.open)
	file = appendMessage(file, sum, f.Transaction+1, getListResponse, f.list)
	file = appendMessage(file, sum, f.Transaction+2, 0x0201, func(dst []byte) []byte {
		return append(dst, 0x71, 0x01) // without a signature
	})
	return frame.AppendSML(dst, file)
}

// appendMessage appends an SML_Message of the kind that tag says.
func appendMessage(dst []byte, sum checksum.Sum, transaction uint32, tag uint16, body func([]byte) []byte) []byte {
	from := len(dst)
	dst = append(dst, 0x76)
	dst = appendOctets(dst, binary.BigEndian.AppendUint32(nil, transaction))
	dst = append(dst, 0x62, 0, 0x62, 0, 0x72, 0x63)
	dst = body(binary.BigEndian.AppendUint16(dst, tag))
	covered := dst[from:]
	return append(sum.Append(append(dst, 0x63), covered, true), 0)
}

func (f *File) open(dst []byte) []byte {
	dst = append(dst, 0x76, 0x01, 0x01) // neither code page nor client
	dst = appendOctets(dst, binary.BigEndian.AppendUint32(nil, f.Transaction))
	dst = appendOctets(dst, f.ServerID)
	return append(dst, 0x01, 0x01) // neither time nor version
}

func (f *File) list(dst []byte) []byte {
	dst = appendOctets(append(dst, 0x77, 0x01), f.ServerID)
	dst = appendOctets(dst, []byte{1, 0, 0x62, 0x0a, 0xff, 0xff})
	if f.Time != 0 {
		dst = appendTime(dst, f.Time)
	} else {
		dst = binary.BigEndian.AppendUint32(append(dst, 0x72, 0x62, 1, 0x65), f.Seconds)
	}
	dst = appendHead(dst, list, len(f.Entries))
	for i := range f.Entries {
		dst = f.Entries[i].append(dst)
	}
	return append(dst, 0x01, 0x01) // neither signature nor the gateway's time
}

func (e *Entry) append(dst []byte) []byte {
	dst = appendOctets(append(dst, 0x77), e.OBIS[:])
	if e.Status != 0 {
		dst = appendUnsigned(dst, e.Status)
	} else {
		dst = append(dst, 0x01)
	}
	dst = appendTime(dst, e.Time)
	if e.Unit == "" && e.Scaler == 0 {
		dst = append(dst, 0x01, 0x01)
	} else {
		dst = append(dst, 0x62, codeOf(e.Unit), 0x52, byte(e.Scaler))
	}
	return append(e.appendValue(dst), 0x01) // without a signature
}

func (e *Entry) appendValue(dst []byte) []byte {
	switch e.Value.Kind() {
	case protocol.KindFloat:
		return appendSigned(dst, int64(math.Round(e.Value.Float()*math.Pow10(-int(e.Scaler)))))
	case protocol.KindInt:
		return appendSigned(dst, e.Value.Int())
	case protocol.KindUint:
		return appendUnsigned(dst, e.Value.Uint())
	case protocol.KindBool:
		if e.Value.Bool() {
			return append(dst, 0x42, 1)
		}
		return append(dst, 0x42, 0)
	}
	return appendOctets(dst, []byte(e.Value.Text()))
}

func appendTime(dst []byte, t protocol.Timestamp) []byte {
	if t == 0 {
		return append(dst, 0x01)
	}
	dst = append(dst, 0x72, 0x62, 2)
	return appendUnsigned(dst, uint64(max(t, 0))/uint64(time.Second))
}

// appendHead appends the type and length of a field; of all but lists the
// length counts its own bytes too.
func appendHead(dst []byte, k kind, length int) []byte {
	n, own := 1, 0
	for {
		if k != list {
			own = n
		}
		if (length+own)>>(4*n) == 0 {
			break
		}
		n++
	}
	length += own
	for i := n - 1; i >= 0; i-- {
		c := byte(length>>(4*i)) & 0x0f
		if i == n-1 {
			c |= byte(k)
		}
		if i > 0 {
			c |= 0x80
		}
		dst = append(dst, c)
	}
	return dst
}

func appendOctets(dst, p []byte) []byte {
	return append(appendHead(dst, octets, len(p)), p...)
}

// appendUnsigned appends n in as few bytes as it takes.
func appendUnsigned(dst []byte, n uint64) []byte {
	width := 1
	for width < 8 && n>>(8*width) != 0 {
		width++
	}
	return appendWord(appendHead(dst, unsigned, width), n, width)
}

// appendSigned appends n in as few bytes as keep its sign.
func appendSigned(dst []byte, n int64) []byte {
	width := 1
	for width < 8 && n != n<<(64-8*width)>>(64-8*width) {
		width++
	}
	return appendWord(appendHead(dst, signed, width), uint64(n), width)
}

func appendWord(dst []byte, n uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}
