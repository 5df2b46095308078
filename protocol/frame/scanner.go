package frame

import "bytes"

// grammar knows what the frames of one kind look like. It may keep a state, but
// what it says depends on the bytes of the stream alone and never on how many
// of the bytes that follow are there already.
type grammar interface {
	// look judges p, which is not empty and begins where a frame may begin.
	look(p []byte, at place) verdict

	// limit is the most bytes that look needs to see: when it has them and
	// still wants more, the frame is too long.
	limit() int

	// reset forgets the state.
	reset()
}

// place is what a grammar is told about where it looks.
type place struct {
	seen  int  // so many of the bytes it has seen here before; 0: none
	clean bool // nothing that belongs to no frame stands right in front
	quiet bool // no more bytes will follow soon
}

// verdict is what a grammar says about the bytes at a place.
type verdict struct {
	kind    outcome
	size    int    // of the frame, or of what is skipped
	skip    int    // of a rejected frame: how many bytes to go on behind
	payload []byte // of a frame; nil: it is a frame but delivers nothing
}

type outcome uint8

const (
	incomplete outcome = iota
	delivered
	rejected // a frame that is damaged
	overlong // a frame that is too long
	unframed // bytes that are no frame
	blank    // bytes that may stand between frames
)

func wait() verdict { return verdict{} }
func found(size int, payload []byte) verdict {
	return verdict{kind: delivered, size: size, payload: payload}
}
func noise(size int) verdict         { return verdict{kind: unframed, size: size} }
func between(size int) verdict       { return verdict{kind: blank, size: size} }
func reject(size, skip int) verdict  { return verdict{kind: rejected, size: size, skip: skip} }
func tooLong(size, skip int) verdict { return verdict{kind: overlong, size: size, skip: skip} }

// scanner is the Reader of all kinds but lines: it shows its grammar the stream
// and keeps the books. A frame that came in one piece is not copied.
type scanner struct {
	grammar grammar
	max     int    // the grammar's limit
	feed    []byte // the feeder's memory
	pos     int    // so much of it is judged or held
	held    []byte // held[at:] is not judged yet and stands before feed[pos:]
	at      int
	copied  int // so many bytes before feed[pos:] were copied to held

	here   place
	damage int // so many bytes from here on belong to a rejected frame
	stats  Stats
}

var _ Reader = (*scanner)(nil)

func newScanner(g grammar) *scanner {
	return &scanner{grammar: g, max: g.limit(), here: place{clean: true}}
}

// Feed adds the bytes that arrived.
func (s *scanner) Feed(p []byte) {
	if s.pos < len(s.feed) {
		p = append(bytes.Clone(s.feed[s.pos:]), p...)
	}
	s.feed, s.pos, s.copied = p, 0, 0
}

// Next returns the next frame.
func (s *scanner) Next() ([]byte, bool) {
	for {
		p := s.window()
		if len(p) == 0 {
			s.rest()
			return nil, false
		}
		v := s.grammar.look(p, s.here)
		switch {
		case v.kind != incomplete:
		case len(p) == s.max:
			v = tooLong(len(p), 1)
		case s.here.quiet:
			v = reject(len(p), 1)
		default:
			s.here.seen = len(p)
			s.hold(p)
			return nil, false
		}
		if s.account(v); len(v.payload) > 0 {
			return v.payload, true
		}
	}
}

// window returns the bytes to judge: the feeder's memory, or ours when it holds
// the beginning of a frame.
func (s *scanner) window() []byte {
	if n := len(s.held) - s.at; n <= s.copied {
		s.pos -= n // all that is held still stands in the feeder's memory
		s.held, s.at, s.copied = s.held[:0], 0, 0
		return s.feed[s.pos:min(s.pos+s.max, len(s.feed))]
	}
	n := min(s.max-(len(s.held)-s.at), len(s.feed)-s.pos)
	if s.at > 0 && len(s.held)+n > cap(s.held) {
		s.held = s.held[:copy(s.held, s.held[s.at:])]
		s.at = 0
	}
	s.held = append(s.held, s.feed[s.pos:s.pos+n]...)
	s.pos += n
	s.copied += n
	return s.held[s.at:]
}

// hold keeps the beginning of a frame until more arrives.
func (s *scanner) hold(p []byte) {
	if s.at == len(s.held) {
		s.held, s.at = append(s.held[:0], p...), 0
	}
	s.feed, s.pos, s.copied = nil, 0, 0
}

// account moves on and counts.
func (s *scanner) account(v verdict) {
	n := v.size
	switch v.kind {
	case delivered:
		if len(v.payload) > 0 {
			s.stats.Frames++
		}
	case rejected, overlong:
		switch {
		case s.damage > 0:
		case v.kind == rejected:
			s.stats.Bad++
		default:
			s.stats.TooLong++
		}
		s.damage = max(s.damage, v.size)
		n = v.skip
		s.stats.Skipped += int64(n)
	case unframed:
		s.stats.Skipped += int64(n)
	case blank:
		s.stats.Skipped += int64(min(n, s.damage))
	}
	s.damage = max(s.damage-n, 0)
	s.here = place{clean: v.kind == delivered || v.kind == blank, quiet: s.here.quiet}
	if s.at < len(s.held) {
		s.at += n
	} else {
		s.pos += n
	}
}

// rest notes that all is judged.
func (s *scanner) rest() {
	s.feed, s.pos, s.copied = nil, 0, 0
	if s.here.quiet {
		s.grammar.reset()
		s.here, s.damage = place{clean: true}, 0
	}
}

// Idle says that a frame that has begun is over.
func (s *scanner) Idle() { s.here.quiet = true }

// Reset forgets the frame that has begun.
func (s *scanner) Reset() {
	s.grammar.reset()
	s.feed, s.pos, s.copied = nil, 0, 0
	s.held, s.at = s.held[:0], 0
	s.here, s.damage = place{clean: true}, 0
}

// Stats returns the counts.
func (s *scanner) Stats() Stats { return s.stats }

// indexStart returns where in p the pattern stands, or else where a beginning
// of it stands that more bytes may complete; len(p): nowhere.
func indexStart(p, pattern []byte) int {
	if i := bytes.Index(p, pattern); i >= 0 {
		return i
	}
	for n := min(len(pattern)-1, len(p)); n > 0; n-- {
		if bytes.HasSuffix(p, pattern[:n]) {
			return len(p) - n
		}
	}
	return len(p)
}
