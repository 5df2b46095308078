package frame

import "bytes"

// vedirectLast is what stands before the last byte of a block, its checksum.
const vedirectLast = "\r\nChecksum\t"

// AppendVEDirect appends fields, which begin with CR LF and stand as
// "\r\nV\t12800", as a block: with the checksum that makes the sum of its bytes
// 0.
func AppendVEDirect(dst, fields []byte) []byte {
	begin := len(dst)
	dst = append(append(dst, fields...), vedirectLast...)
	return append(dst, -sum8(dst[begin:]))
}

// vedirect is the grammar of the text blocks of Victron's VE.Direct. The payload
// is the block as it came, from its CR LF to its checksum, without HEX records
// that were sent in between.
//
// A block has no start mark: any line may be its first. Only the sum tells, and
// one wrong beginning in 256 has the right one. So, behind damage, a block is
// taken for one only when it begins with the label of an earlier block.
type vedirect struct {
	max   int
	at    int // where the search for the block's end goes on
	first [4]vedirectLabel
	known int    // so many of first are set; the rest is overwritten in turn
	next  int    // the one to set next
	out   []byte // a block without its HEX records
}

// vedirectLabel is the name of a field; longer ones are none.
type vedirectLabel struct {
	text [16]byte
	n    int
}

func newVEDirect(max int) *vedirect { return &vedirect{max: max} }

func (g *vedirect) limit() int { return g.max }

func (g *vedirect) reset() { g.known, g.next = 0, 0 }

func (g *vedirect) look(p []byte, at place) verdict {
	if at.seen == 0 {
		g.at = 0
	}
	switch p[0] {
	case ':':
		return g.record(p, at)
	case '\r':
	default:
		return noise(until(p, isBlockMark))
	}
	label, more := fieldLabel(p)
	switch {
	case more:
		return wait()
	case label == nil || !at.clean && g.known > 0 && !g.knows(label):
		return noise(1)
	}
	last := bytes.Index(p[g.at:], []byte(vedirectLast))
	if last < 0 {
		g.at = max(0, len(p)-len(vedirectLast)+1)
		return wait()
	}
	g.at += last
	if size := g.at + len(vedirectLast) + 1; size <= len(p) {
		return g.judge(p[:size], label)
	}
	return wait()
}

// record judges a HEX record that stands between blocks.
func (g *vedirect) record(p []byte, at place) verdict {
	from := max(at.seen, 1)
	n := from + until(p[from:], isNoHex)
	switch {
	case n == len(p):
		return wait()
	case p[n] == '\n':
		return between(n + 1)
	}
	return noise(1)
}

func (g *vedirect) judge(block, label []byte) verdict {
	text := g.withoutRecords(block)
	if sum8(text) == 0 {
		g.learn(label)
		return found(len(block), text)
	}
	for i := 1; i < len(block); i++ {
		n := bytes.Index(block[i:], []byte("\r\n"))
		if n < 0 {
			break
		}
		i += n
		if inner, _ := fieldLabel(block[i:]); inner != nil && (bytes.Equal(inner, label) || g.knows(inner)) {
			return reject(i, i)
		}
	}
	return reject(len(block), len(block))
}

// withoutRecords returns the block without the HEX records inside.
func (g *vedirect) withoutRecords(block []byte) []byte {
	fields := block[:len(block)-1] // the checksum may be a colon
	if bytes.IndexByte(fields, ':') < 0 {
		return block
	}
	g.out = g.out[:0]
	for {
		colon := bytes.IndexByte(fields, ':')
		if colon < 0 {
			break
		}
		n := colon + 1 + until(fields[colon+1:], isNoHex)
		if n == len(fields) || fields[n] != '\n' {
			g.out = append(g.out, fields[:n]...)
			fields = fields[n:]
			continue
		}
		g.out = append(g.out, fields[:colon]...)
		fields = fields[n+1:]
	}
	g.out = append(g.out, fields...)
	g.out = append(g.out, block[len(block)-1])
	return g.out
}

// fieldLabel returns the label of the field that p begins with, CR LF in front;
// nil and false: it begins with none, nil and true: more bytes will tell.
func fieldLabel(p []byte) (label []byte, more bool) {
	const longest = len(vedirectLabel{}.text)
	if len(p) > 1 && p[1] != '\n' {
		return nil, false
	}
	for i := 2; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\t' && i > 2:
			return p[2:i], false
		case c <= ' ' || c >= 0x7f || c == ':' || i-2 == longest:
			return nil, false
		}
	}
	return nil, true
}

func (g *vedirect) knows(label []byte) bool {
	for i := range g.first[:g.known] {
		if l := &g.first[i]; string(l.text[:l.n]) == string(label) {
			return true
		}
	}
	return false
}

// learn notes that blocks begin with label.
func (g *vedirect) learn(label []byte) {
	if g.knows(label) {
		return
	}
	l := &g.first[g.next]
	l.n = copy(l.text[:], label)
	g.next = (g.next + 1) % len(g.first)
	g.known = min(g.known+1, len(g.first))
}

func isBlockMark(c byte) bool { return c == '\r' || c == ':' }

func isNoHex(c byte) bool {
	_, ok := fromHex(c)
	return !ok
}
