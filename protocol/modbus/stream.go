package modbus

import (
	"bytes"
	"encoding/binary"
)

// Side is which half of the talk a stream carries.
type Side uint8

// A client reads responses, a server reads requests.
const (
	Responses Side = iota
	Requests
)

// length returns how long the message is that begins with pdu, as
// ResponseLength and RequestLength do.
func (s Side) length(pdu []byte) int {
	if s == Requests {
		return RequestLength(pdu)
	}
	return ResponseLength(pdu)
}

// Stream finds frames in a byte stream, also after noise: where no frame begins
// it goes on with the next byte. It is owned by one goroutine and holds less than
// two frames of the longest kind. How the stream was cut into pieces never
// changes the frames.
//
//	s.Feed(received)
//	for f, ok := s.Next(); ok; f, ok = s.Next() { … }
type Stream struct {
	measure func(s *Stream, p []byte) int // length of the frame at p's beginning, 0: more is needed, -1: none begins here
	open    func(s *Stream, p []byte) Frame
	side    Side

	rest    []byte // fed and not taken over yet; the feeder's memory
	held    []byte // taken over and not looked at yet
	done    int    // bytes of held that are behind us
	plain   []byte // an ASCII frame's bytes
	idle    bool   // nothing comes after what is held
	only    bool   // frames of one unit and function alone
	unit    uint8
	expects Function
	suspect int // so many of the next bytes belong to a frame that was bad
	stats   Stats
}

// Stats are the running counts of a Stream.
type Stats struct {
	Frames  int64 // delivered
	Bad     int64 // with a wrong checksum, noise that looked like a frame among them; what lies inside a bad frame does not count again
	Skipped int64 // bytes that belong to no frame
}

// NewRTU returns a Stream of RTU frames.
func NewRTU(side Side) *Stream {
	return newStream(side, maxRTU, (*Stream).measureRTU, func(_ *Stream, p []byte) Frame {
		return Frame{Unit: p[0], PDU: p[1 : len(p)-2]}
	})
}

// NewASCII returns a Stream of ASCII frames of either side.
func NewASCII() *Stream {
	s := newStream(Responses, maxASCII, (*Stream).measureASCII, func(s *Stream, _ []byte) Frame {
		return Frame{Unit: s.plain[0], PDU: s.plain[1 : len(s.plain)-1]}
	})
	s.plain = make([]byte, 0, maxASCII/2)
	return s
}

// NewTCP returns a Stream of TCP frames. A TCP frame has no checksum: what comes
// after noise has to have the length that its function says.
func NewTCP(side Side) *Stream {
	return newStream(side, maxTCP, (*Stream).measureTCP, func(_ *Stream, p []byte) Frame {
		return Frame{Unit: p[6], Transaction: binary.BigEndian.Uint16(p), PDU: p[headTCP:]}
	})
}

func newStream(side Side, longest int, measure func(*Stream, []byte) int, open func(*Stream, []byte) Frame) *Stream {
	return &Stream{measure: measure, open: open, side: side, held: make([]byte, 0, 2*longest)}
}

// Expect makes the stream look for frames of this unit and function alone;
// exceptions are among them. All else is noise. A client that waits for one
// answer is not misled by noise that looks like the head of another frame. Of a
// TCP stream all frames are delivered: their transaction tells.
func (s *Stream) Expect(unit uint8, f Function) { s.only, s.unit, s.expects = true, unit, f }

// ExpectAny makes the stream look for all frames again.
func (s *Stream) ExpectAny() { s.only = false }

// Feed adds the bytes that arrived. They must stay as they are until Next has
// reported that there is no further frame. Feeding again before that is allowed
// but copies what is left.
func (s *Stream) Feed(p []byte) {
	if len(s.rest) > 0 {
		p = append(bytes.Clone(s.rest), p...)
	}
	s.rest, s.idle = p, false
}

// Idle says that the line was quiet for longer than within a frame: what has
// begun is none, and a frame that was taken for the rest of it comes to light
// with the next Next.
func (s *Stream) Idle() { s.idle = true }

// Next returns the next frame, or false when more bytes are needed. Its PDU is
// valid until the next call of Next or Feed.
func (s *Stream) Next() (Frame, bool) {
	for {
		p := s.held[s.done:]
		n := s.measure(s, p)
		switch {
		case n > 0:
			s.step(n)
			s.stats.Frames++
			return s.open(s, p[:n]), true
		case n < 0 && len(p) > 0:
			s.skip()
		case len(s.rest) > 0:
			s.fill()
		case s.idle && len(p) > 0:
			s.skip()
		default:
			return Frame{}, false
		}
	}
}

// skip steps over a byte that begins no frame.
func (s *Stream) skip() {
	s.step(1)
	s.stats.Skipped++
}

func (s *Stream) step(n int) {
	s.done += n
	s.suspect = max(0, s.suspect-n)
}

// reject counts a frame of n bytes whose checksum is wrong.
func (s *Stream) reject(n int) int {
	if s.suspect == 0 {
		s.stats.Bad++
		s.suspect = n
	}
	return unknown
}

// fill takes over as many bytes as there is room for. There always is some: a
// frame is at most half as long as held.
func (s *Stream) fill() {
	if len(s.held) == cap(s.held) || s.done == len(s.held) {
		s.held = s.held[:copy(s.held, s.held[s.done:])]
		s.done = 0
	}
	n := min(len(s.rest), cap(s.held)-len(s.held))
	s.held = append(s.held, s.rest[:n]...)
	s.rest = s.rest[n:]
}

// Reset forgets what has begun, for a line that starts anew. The counts stay.
func (s *Stream) Reset() {
	s.rest, s.held, s.done, s.idle, s.suspect = nil, s.held[:0], 0, false, 0
}

// Stats returns the counts since the stream was made.
func (s *Stream) Stats() Stats { return s.stats }

// Held returns how many bytes wait for the rest of a frame.
func (s *Stream) Held() int { return len(s.held) - s.done + len(s.rest) }

// wants reports whether frames of this unit and function code are looked for.
func (s *Stream) wants(unit, code byte) bool {
	return !s.only || unit == s.unit && Function(code&^failed) == s.expects
}
