package nmea

import (
	"math"
	"strconv"
	"time"
)

// AppendSentence appends a sentence with its checksum and line end to dst.
// Talker and type come first, such as "GP" and "RMC"; a proprietary sentence
// has "P" for its talker. The fields hold no comma, star or control character.
func AppendSentence(dst []byte, talker, kind string, fields ...string) []byte {
	first := len(dst)
	dst = append(append(append(dst, '$'), talker...), kind...)
	for _, f := range fields {
		dst = append(append(dst, ','), f...)
	}
	return closed(dst, first)
}

// closed appends checksum and line end to the sentence that begins at first.
func closed(dst []byte, first int) []byte {
	const digits = "0123456789ABCDEF"
	sum := Checksum(dst[first+1:])
	return append(dst, '*', digits[sum>>4], digits[sum&15], '\r', '\n')
}

// Fix is what a satellite receiver knows. A number that is NaN is left empty.
type Fix struct {
	Time                time.Time // zero: left empty
	Latitude, Longitude float64   // degrees, north and east are positive
	Altitude            float64   // m above the sea
	Speed               float64   // kn
	Course              float64   // ° from true north
	HDOP                float64
	Satellites          int // 0 to 99
	Quality             int // as GGA has it, 0 to 9; 0 is no fix
}

// AppendRMC appends the sentence of time, position and movement.
func AppendRMC(dst []byte, talker string, f Fix) []byte {
	first := len(dst)
	dst = append(append(append(dst, '$'), talker...), "RMC,"...)
	dst = appendTime(dst, f.Time, "150405.00")
	status, mode := "A", "A"
	if f.Quality == 0 {
		status, mode = "V", "N"
	}
	dst = append(append(append(dst, ','), status...), ',')
	dst = f.appendPosition(dst)
	dst = append(appendNumber(append(dst, ','), f.Speed, 3), ',')
	dst = append(appendNumber(dst, f.Course, 2), ',')
	dst = append(appendTime(dst, f.Time, "020106"), ",,,"...)
	return closed(append(dst, mode...), first)
}

// AppendGGA appends the sentence of the fix and its quality.
func AppendGGA(dst []byte, talker string, f Fix) []byte {
	first := len(dst)
	dst = append(append(append(dst, '$'), talker...), "GGA,"...)
	dst = append(appendTime(dst, f.Time, "150405.00"), ',')
	dst = append(f.appendPosition(dst), ',', '0'+byte(f.Quality%10), ',', '0'+byte(f.Satellites/10%10), '0'+byte(f.Satellites%10), ',')
	dst = append(appendNumber(dst, f.HDOP, 2), ',')
	dst = append(appendNumber(dst, f.Altitude, 3), ",M,,M,,"...)
	return closed(dst, first)
}

// AppendVTG appends the sentence of course and speed.
func AppendVTG(dst []byte, talker string, f Fix) []byte {
	first := len(dst)
	dst = append(append(append(dst, '$'), talker...), "VTG,"...)
	dst = append(appendNumber(dst, f.Course, 2), ",T,,M,"...)
	dst = append(appendNumber(dst, f.Speed, 3), ",N,"...)
	dst = append(appendNumber(dst, f.Speed*1.852, 3), ",K,"...)
	if f.Quality == 0 {
		return closed(append(dst, 'N'), first)
	}
	return closed(append(dst, 'A'), first)
}

func (f *Fix) appendPosition(dst []byte) []byte {
	dst = append(appendDegrees(dst, f.Latitude, 2, 'N', 'S'), ',')
	return appendDegrees(dst, f.Longitude, 3, 'E', 'W')
}

// appendDegrees appends degrees of so many digits, minutes with six decimals
// (2 mm) and the hemisphere.
func appendDegrees(dst []byte, value float64, digits int, plus, minus byte) []byte {
	if math.IsNaN(value) {
		return append(dst, ',')
	}
	letter := plus
	if value < 0 {
		letter, value = minus, -value
	}
	micro := int64(math.Round(value * 60e6))
	var room [20]byte
	text := strconv.AppendInt(room[:0], micro/60e6*100e6+micro%60e6+1e12, 10)
	text = text[len(text)-8-digits:]
	dst = append(append(append(dst, text[:digits+2]...), '.'), text[digits+2:]...)
	return append(dst, ',', letter)
}

func appendNumber(dst []byte, value float64, decimals int) []byte {
	if math.IsNaN(value) {
		return dst
	}
	return strconv.AppendFloat(dst, value, 'f', decimals, 64)
}

func appendTime(dst []byte, t time.Time, layout string) []byte {
	if t.IsZero() {
		return dst
	}
	return t.UTC().AppendFormat(dst, layout)
}
