package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Validate reports what is wrong with c: the field's path in the file, "" for
// the whole, and the problem.
func (c *Config) Validate(report func(field, problem string)) {
	kinds := c.kinds()
	if len(kinds) > 1 {
		report("", "names several kinds, want one of "+strings.Join(names(kinds), " and "))
		return
	}
	for _, k := range kinds {
		k.settings.validate(func(field, problem string) { report(k.name+"."+field, problem) })
	}
}

type kind struct {
	name     string
	settings settings
}

// settings are what a kind has to say about itself.
type settings interface {
	validate(report func(field, problem string))
	reader() Reader
}

func names(kinds []kind) []string {
	list := make([]string, len(kinds))
	for i, k := range kinds {
		list[i] = k.name
	}
	return list
}

// kinds returns the kinds that are set.
func (c *Config) kinds() []kind {
	var set []kind
	if c.Lines != nil {
		set = append(set, kind{"lines", c.Lines})
	}
	if c.Delimited != nil {
		set = append(set, kind{"delimited", c.Delimited})
	}
	if c.Fixed != nil {
		set = append(set, kind{"fixed", c.Fixed})
	}
	if c.Prefixed != nil {
		set = append(set, kind{"prefixed", c.Prefixed})
	}
	if c.Idle != nil {
		set = append(set, kind{"idle", c.Idle})
	}
	if c.SLIP != nil {
		set = append(set, kind{"slip", c.SLIP})
	}
	if c.COBS != nil {
		set = append(set, kind{"cobs", c.COBS})
	}
	if c.COBSR != nil {
		set = append(set, kind{"cobsr", reduced{c.COBSR}})
	}
	if c.NMEA != nil {
		set = append(set, kind{"nmea", c.NMEA})
	}
	if c.DSMR != nil {
		set = append(set, kind{"dsmr", c.DSMR})
	}
	if c.SML != nil {
		set = append(set, kind{"sml", c.SML})
	}
	if c.MBus != nil {
		set = append(set, kind{"mbus", c.MBus})
	}
	if c.VEDirect != nil {
		set = append(set, kind{"vedirect", c.VEDirect})
	}
	if c.ModbusRTU != nil {
		set = append(set, kind{"modbus_rtu", c.ModbusRTU})
	}
	return set
}

func (l *Lines) validate(report func(field, problem string)) {
	if l.EOL != "" {
		if _, err := ParseEOL(l.EOL); err != nil {
			report("eol", fmt.Sprintf("is %q, want auto, lf, crlf or cr", l.EOL))
		}
		if l.Terminator != "" {
			report("terminator", "does not go with eol: want one of them")
		}
	}
	checkBytes(report, "terminator", l.Terminator)
	checkMax(report, l.Max, mostMax)
	l.Checksum.validate(report)
}

func (d *Delimited) validate(report func(field, problem string)) {
	checkBytes(report, "start", d.Start)
	if d.End == "" {
		report("end", "is required: the text that ends a frame, or bytes such as \"hex:03\"")
	}
	checkBytes(report, "end", d.End)
	checkBytes(report, "escape", d.Escape)
	switch {
	case d.Escape == "":
	case len(literal(d.Escape)) != 1:
		report("escape", fmt.Sprintf("is %q, want one byte, such as \"hex:10\"", d.Escape))
	case d.Start == "":
		report("escape", "needs a start too")
	case bytes.Equal(literal(d.Escape), literal(d.Start)) || bytes.Equal(literal(d.Escape), literal(d.End)):
		report("escape", fmt.Sprintf("is %q, which is start or end itself", d.Escape))
	}
	checkRange(report, "escape_xor", d.EscapeXOR, 0, 255, "")
	checkRange(report, "trailer", d.Trailer, 0, 16, " bytes")
	if d.Trailer > 0 && (d.Start == "" || d.Start == d.End) {
		report("trailer", "needs a start that is not the same as the end")
	}
	checkMax(report, d.Max, searchedMax)
	d.Checksum.validate(report)
}

func (f *Fixed) validate(report func(field, problem string)) {
	if f.Length == 0 {
		report("length", "is required: how many bytes a frame has")
	} else {
		checkRange(report, "length", f.Length, 1, searchedMax, " bytes")
	}
	checkBytes(report, "sync", f.Sync)
	if len(literal(f.Sync)) > f.Length && f.Length > 0 {
		report("sync", "is longer than a frame")
	}
	checkGap(report, f.Gap)
	f.Checksum.validate(report)
}

func (p *Prefixed) validate(report func(field, problem string)) {
	checkBytes(report, "sync", p.Sync)
	sync := len(literal(p.Sync))
	switch p.Width {
	case 0, 1, 2, 4:
	default:
		report("width", fmt.Sprintf("is %d, want 1, 2 or 4 bytes", p.Width))
	}
	checkRange(report, "offset", p.Offset, sync, 255, " bytes")
	switch p.Order {
	case "", "big", "little":
	default:
		report("order", fmt.Sprintf("is %q, want big or little", p.Order))
	}
	switch p.Counts {
	case "", "payload", "frame":
	default:
		report("counts", fmt.Sprintf("is %q, want payload or frame", p.Counts))
	}
	if length := p.Offset + max(p.Width, 1); p.Header != 0 {
		checkRange(report, "header", p.Header, length, 1024, " bytes")
	}
	checkRange(report, "trailer", p.Trailer, 0, 1024, " bytes")
	checkGap(report, p.Gap)
	checkMax(report, p.Max, searchedMax)
	p.Checksum.validate(report)
}

func (i *Idle) validate(report func(field, problem string)) {
	checkGap(report, i.Gap)
	checkMax(report, i.Max, mostMax)
	i.Checksum.validate(report)
}

func (s *SLIP) validate(report func(field, problem string)) {
	checkMax(report, s.Max, mostMax)
	s.Checksum.validate(report)
}

func (c *COBS) validate(report func(field, problem string)) {
	checkMax(report, c.Max, mostMax)
	c.Checksum.validate(report)
}

func (n *NMEA) validate(report func(field, problem string)) {
	switch n.Checksum {
	case "", "required", "optional":
	default:
		report("checksum", fmt.Sprintf("is %q, want required or optional", n.Checksum))
	}
	checkMax(report, n.Max, searchedMax)
}

func (d *DSMR) validate(report func(field, problem string)) { checkMax(report, d.Max, searchedMax) }

func (s *SML) validate(report func(field, problem string)) { checkMax(report, s.Max, searchedMax) }

func (*MBus) validate(func(field, problem string)) {}

func (v *VEDirect) validate(report func(field, problem string)) { checkMax(report, v.Max, searchedMax) }

func (m *ModbusRTU) validate(report func(field, problem string)) { checkGap(report, m.Gap) }

// literal returns the bytes that a setting stands for: its text, or what
// follows "hex:"; nil: it is empty or no hexadecimal.
func literal(setting string) []byte {
	digits, ok := strings.CutPrefix(setting, "hex:")
	if !ok {
		return []byte(setting)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		return nil
	}
	return b
}

func checkBytes(report func(field, problem string), field, setting string) {
	n := len(literal(setting))
	switch {
	case setting == "":
	case n == 0:
		report(field, fmt.Sprintf("is %q, want text, or bytes in hexadecimal digits such as \"hex:0d0a\"", setting))
	case n > 16:
		report(field, fmt.Sprintf("has %d bytes, want at most 16", n))
	}
}

func checkRange(report func(field, problem string), field string, n, least, most int, unit string) {
	if n < least || n > most {
		report(field, fmt.Sprintf("is %d, want %d to %d%s", n, least, most, unit))
	}
}

func checkMax(report func(field, problem string), n, most int) {
	if n != 0 {
		checkRange(report, "max", n, 16, most, " bytes")
	}
}

func checkGap(report func(field, problem string), gap time.Duration) {
	if gap != 0 && (gap < time.Millisecond || gap > time.Minute) {
		report("gap", fmt.Sprintf("is %v, want 1ms to 1m", gap))
	}
}
