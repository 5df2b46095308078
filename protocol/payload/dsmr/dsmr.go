// Package dsmr reads and writes the telegrams that smart meters send on their
// P1 port: DSMR 2.2, 3, 4 and 5 of the Netherlands, their Belgian, Luxembourg,
// Swedish and Finnish variants, and the text lines of IEC 62056-21 below them.
//
//	/ISk5\2MT382-1000            identification
//
//	0-0:1.0.0(170102192002W)     OBIS code, then values in brackets
//	1-0:1.8.1(000004.426*kWh)
//	!6EEE                        CRC-16/ARC of all from / to !
package dsmr

import (
	"bytes"
	"fmt"
	"time"

	"sluice/protocol"
	"sluice/protocol/checksum"
	"sluice/protocol/payload/plain"
)

// maxTelegram is the longest telegram in bytes. Those with texts and a year of
// peaks have 4 kB.
const maxTelegram = 16 << 10

// Config says how telegrams are read.
type Config struct {
	Zone string `yaml:"zone"` // the time that the meter calls W, for winter: cet (default), wet, or eet as in Finland and the Baltic states
}

// DefaultConfig returns the settings that hold where none are given.
func DefaultConfig() Config { return Config{Zone: "cet"} }

// Validate reports what is wrong with c.
func (c *Config) Validate(report func(field, problem string)) {
	if _, ok := c.winter(); !ok {
		report("zone", fmt.Sprintf("is %q, want wet, cet or eet", c.Zone))
	}
}

// winter returns the offset of winter time from UTC.
func (c *Config) winter() (time.Duration, bool) {
	switch c.Zone {
	case "wet":
		return 0, true
	case "cet", "":
		return time.Hour, true
	case "eet":
		return 2 * time.Hour, true
	}
	return time.Hour, false
}

// Decoder reads telegrams. It is owned by one goroutine.
type Decoder struct {
	winter  time.Duration // offset of winter time from UTC
	crc     checksum.Sum
	words   plain.Words
	groups  [][]byte // what stands in the brackets of one object
	dated   []dated
	scratch []byte
}

// dated is a value with a time of its own.
type dated struct {
	at     protocol.Timestamp
	metric protocol.Metric
}

// New returns a Decoder for c.
func New(c Config) *Decoder {
	crc, _ := checksum.Lookup("crc-16/arc")
	winter, _ := c.winter()
	return &Decoder{winter: winter, crc: crc}
}

// Decode appends what the telegram in message holds to b. Metrics are named by
// the OBIS codes as they were sent, such as "1-0:1.8.1"; Names has words for
// them. The first reading has the telegram's time. A value with a time of its
// own, such as a gas meter's "0-1:24.2.1" or the peak of the month, becomes a
// reading of its own with that time, and is no value where the time says that
// there was none; the times of versions before 4 tell no zone and are left out.
//
// Values with a unit are floats, counters are ints, others are texts;
// identifiers and messages, which are sent in hexadecimal digits, are decoded
// where that gives printable characters. Of the logs of power failures and
// peaks only the number of entries is kept. Where an object has several values,
// the further ones are called CODE_2 and so on; of a code that stands twice the
// first one counts.
//
// The CRC is checked. Only telegrams that do not state a version of 4 or more
// may come without. Lines may have lost the CR of their ends.
//
// The error is a *protocol.Refusal, and b is as it was.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	body, signed, refusal := d.open(message)
	if refusal != nil {
		return refusal
	}
	kept := len(b.Readings)
	if refusal := d.read(b, body, signed); refusal != nil {
		b.Readings = b.Readings[:kept]
		return refusal
	}
	return nil
}

// open checks the frame of a telegram and returns its objects, and whether it
// has a CRC.
func (d *Decoder) open(message []byte) (body []byte, signed bool, refusal *protocol.Refusal) {
	text := bytes.Trim(message, " \t\r\n\x00")
	switch {
	case len(text) == 0:
		return nil, false, protocol.Refuse("empty", "there is no telegram")
	case len(text) > maxTelegram:
		return nil, false, protocol.Refuse("size", "telegram of %d bytes, want at most %d", len(text), maxTelegram)
	case text[0] != '/':
		return nil, false, protocol.Refuse("syntax", "the telegram begins with %q, want /", excerpt(text))
	}
	end := bytes.LastIndex(text, []byte("\n!")) + 1
	if end == 0 {
		return nil, false, protocol.Refuse("syntax", "the telegram has no end, a line with !")
	}
	if crc := bytes.TrimRight(text[end+1:], " "); len(crc) > 0 {
		if refusal := d.check(text[:end+1], crc); refusal != nil {
			return nil, false, refusal
		}
		signed = true
	}
	first := bytes.IndexByte(text, '\n')
	return text[first:end], signed, nil
}

// check compares the CRC of text. Where CRs have been lost on the way it is
// that of the lines with them.
func (d *Decoder) check(text, crc []byte) *protocol.Refusal {
	want, ok := plain.Hex(crc)
	if !ok || len(crc) != 4 {
		return protocol.Refuse("checksum", "the CRC is %q, want four hexadecimal digits", excerpt(crc))
	}
	got := d.crc.Of(text)
	if int64(got) != want && bytes.IndexByte(text, '\r') < 0 {
		d.scratch = d.scratch[:0]
		for _, c := range text {
			if c == '\n' {
				d.scratch = append(d.scratch, '\r')
			}
			d.scratch = append(d.scratch, c)
		}
		got = d.crc.Of(d.scratch)
	}
	if int64(got) != want {
		return protocol.Refuse("checksum", "the telegram says %s, its bytes give %04X", crc, got)
	}
	return nil
}

// excerpt cuts text to what an error may quote.
func excerpt(text []byte) []byte { return text[:min(len(text), 32)] }
