package port

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parity is the check bit of a character, as operators write it.
type Parity byte

// The parities. Mark and space are not served.
const (
	None Parity = 'N'
	Even Parity = 'E'
	Odd  Parity = 'O'
)

// Line is the settings that both ends of a serial line must agree on. ParseLine
// makes one.
type Line struct {
	Baud   int    // bits per second, 50 to 12000000
	Data   int    // bits per character, 5 to 8
	Parity Parity // None, Even or Odd
	Stop   int    // bits between characters, 1 or 2
}

// The slowest rate that a UART has and the fastest that a USB adapter has.
const minBaud, maxBaud = 50, 12_000_000

// ParseLine reads line settings as operators write them: the baud rate, then
// data bits, parity and stop bits in one word, such as "19200 8E1". The rate
// alone means 8N1. The error reads on after the name of what holds s.
func ParseLine(s string) (Line, error) {
	words := strings.Fields(s)
	if len(words) == 0 || len(words) > 2 {
		return Line{}, fmt.Errorf("is %q, want a baud rate and a format, such as 9600 8N1", s)
	}
	baud, err := strconv.Atoi(words[0])
	if err != nil || baud < minBaud || baud > maxBaud {
		return Line{}, fmt.Errorf("is %q, want a baud rate from %d to %d first, such as 9600 8N1", s, minBaud, maxBaud)
	}
	line := Line{Baud: baud, Data: 8, Parity: None, Stop: 1}
	if len(words) == 1 {
		return line, nil
	}
	if !line.format(strings.ToUpper(words[1])) {
		return Line{}, fmt.Errorf("is %q, want data bits 5 to 8, parity N, E or O, and stop bits 1 or 2, such as 9600 8N1", s)
	}
	return line, nil
}

// format sets what a word such as "8N1" says and reports whether it is one.
func (l *Line) format(word string) bool {
	if len(word) != 3 {
		return false
	}
	l.Data, l.Parity, l.Stop = int(word[0]-'0'), Parity(word[1]), int(word[2]-'0')
	return l.Data >= 5 && l.Data <= 8 &&
		(l.Parity == None || l.Parity == Even || l.Parity == Odd) &&
		(l.Stop == 1 || l.Stop == 2)
}

// String returns the form that ParseLine reads.
func (l Line) String() string {
	return fmt.Sprintf("%d %d%c%d", l.Baud, l.Data, l.Parity, l.Stop)
}

// Span returns how long n characters take on the wire: start bit, data bits,
// parity and stop bits of each.
func (l Line) Span(n int) time.Duration {
	bits := 1 + l.Data + l.Stop
	if l.Parity != None {
		bits++
	}
	return time.Duration(n*bits) * time.Second / time.Duration(l.Baud)
}
