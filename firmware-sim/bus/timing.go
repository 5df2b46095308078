package bus

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// timing is how long things take on a line.
type timing struct {
	char time.Duration // a character with its start, parity and stop bits; 0: no time at all
	gap  time.Duration // the silence that RTU wants between frames
}

// The limits of the RTU specification: above this baud rate the gap is fixed.
const (
	fastBaud = 19200
	fastGap  = 1750 * time.Microsecond
)

// parseLine reads line settings as operators write them, "9600 8E1". The rate
// alone means 8N1.
func parseLine(s string) (timing, error) {
	rate, format, _ := strings.Cut(strings.TrimSpace(s), " ")
	format = strings.ToUpper(strings.TrimSpace(format))
	if format == "" {
		format = "8N1"
	}
	baud, err := strconv.Atoi(rate)
	if err != nil || baud < 50 || baud > 12_000_000 || len(format) != 3 {
		return timing{}, fmt.Errorf("parse line %q: want a baud rate and a format, such as 9600 8E1", s)
	}
	bits := 1 + int(format[0]-'0') + int(format[2]-'0')
	if format[0] < '5' || format[0] > '8' || !strings.Contains("NEO", format[1:2]) || format[2] != '1' && format[2] != '2' {
		return timing{}, fmt.Errorf("parse line %q: want data bits 5 to 8, parity N, E or O, and stop bits 1 or 2", s)
	}
	if format[1] != 'N' {
		bits++
	}
	t := timing{char: time.Duration(bits) * time.Second / time.Duration(baud), gap: fastGap}
	if baud <= fastBaud {
		t.gap = 7 * t.char / 2
	}
	return t, nil
}

// span returns how long n characters take.
func (t timing) span(n int) time.Duration { return time.Duration(n) * t.char }
