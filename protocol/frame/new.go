package frame

import "fmt"

// New returns a Reader of the frames that c describes. An error names the first
// problem that c.Validate reports.
func New(c Config) (Reader, error) {
	var err error
	c.Validate(func(field, problem string) {
		if err == nil {
			err = fmt.Errorf("frame %s %s", field, problem)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, k := range c.kinds() {
		return k.settings.reader(), nil
	}
	return (&Lines{}).reader(), nil
}

func (l *Lines) reader() Reader {
	if l.Terminator != "" {
		end := literal(l.Terminator)
		return newScanner(&terminated{end: end, max: orMax(l.Max), check: newCheck(l.Checksum, 0, 0)})
	}
	eol := Auto
	if l.EOL != "" {
		eol, _ = ParseEOL(l.EOL)
	}
	r := newLines(eol, orMax(l.Max))
	r.check = newCheck(l.Checksum, 0, 0)
	return r
}

func (d *Delimited) reader() Reader {
	start, end := literal(d.Start), literal(d.End)
	behind := 0
	if d.Trailer == 0 {
		behind = len(end)
	}
	if len(start) == 0 {
		return newScanner(&terminated{end: end, max: orMax(d.Max), check: newCheck(d.Checksum, 0, 0)})
	}
	g := &delimited{
		start: start, end: end, escape: -1, xor: byte(d.EscapeXOR),
		trailer: d.Trailer, max: orMax(d.Max), check: newCheck(d.Checksum, len(start), behind),
	}
	if d.Escape != "" {
		g.escape = int(literal(d.Escape)[0])
	}
	return newScanner(g)
}

func (f *Fixed) reader() Reader {
	return newScanner(&fixed{length: f.Length, sync: literal(f.Sync), check: newCheck(f.Checksum, 0, 0)})
}

func (p *Prefixed) reader() Reader { return newScanner(newPrefixed(p)) }

func newPrefixed(p *Prefixed) *prefixed {
	g := &prefixed{
		sync: literal(p.Sync), offset: p.Offset, width: max(p.Width, 1),
		little: p.Order == "little", whole: p.Counts == "frame",
		header: p.Header, trailer: p.Trailer, max: orMax(p.Max), check: newCheck(p.Checksum, 0, 0),
	}
	g.header = max(g.header, g.offset+g.width)
	g.max = max(g.max, g.header+g.trailer)
	return g
}

func (i *Idle) reader() Reader {
	return newScanner(&idle{max: orMax(i.Max), check: newCheck(i.Checksum, 0, 0)})
}

func (s *SLIP) reader() Reader {
	return newScanner(&terminated{end: []byte{slipEnd}, max: orMax(s.Max), decode: unslip, check: newCheck(s.Checksum, 0, 0)})
}

func (c *COBS) reader() Reader { return newCOBS(c, DecodeCOBS) }

// reduced is COBS/R, which has the same settings.
type reduced struct{ *COBS }

func (r reduced) reader() Reader { return newCOBS(r.COBS, DecodeCOBSR) }

func newCOBS(c *COBS, decode func(dst, body []byte) ([]byte, bool)) Reader {
	return newScanner(&terminated{end: []byte{0}, max: orMax(c.Max), decode: decode, check: newCheck(c.Checksum, 0, 0)})
}

func (n *NMEA) reader() Reader {
	return newScanner(&nmea{max: orMax(n.Max), bare: n.Checksum == "optional"})
}

func (d *DSMR) reader() Reader { return newScanner(newDSMR(orMax(d.Max))) }

func (s *SML) reader() Reader { return newScanner(newSML(orMax(s.Max))) }

func (*MBus) reader() Reader { return newScanner(mbus{}) }

func (v *VEDirect) reader() Reader { return newScanner(newVEDirect(orMax(v.Max))) }

func (*ModbusRTU) reader() Reader { return newScanner(newModbusRTU()) }
