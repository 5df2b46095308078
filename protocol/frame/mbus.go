package frame

// The bytes that M-Bus frames begin and end with (EN 13757-2).
const (
	mbusAck   = 0xe5
	mbusShort = 0x10
	mbusLong  = 0x68
	mbusStop  = 0x16

	mbusMax = 6 + 255 // the longest frame
)

// AppendMBus appends the long frame of what it carries: control, address and CI
// field and the data behind them, 3 to 255 bytes.
func AppendMBus(dst, body []byte) []byte {
	n := byte(len(body))
	dst = append(dst, mbusLong, n, n, mbusLong)
	dst = append(dst, body...)
	return append(dst, sum8(body), mbusStop)
}

// AppendMBusShort appends a short frame, as masters send them.
func AppendMBusShort(dst []byte, control, address byte) []byte {
	return append(dst, mbusShort, control, address, control+address, mbusStop)
}

// mbus is the grammar of M-Bus frames. The payload is the whole frame. A single
// byte of acknowledgement right behind noise is taken for a part of it.
type mbus struct{}

func (mbus) limit() int { return mbusMax }

func (mbus) reset() {}

func (mbus) look(p []byte, at place) verdict {
	switch {
	case p[0] == mbusAck && at.clean:
		return found(1, p[:1])
	case p[0] == mbusShort:
		return mbusShortFrame(p)
	case p[0] == mbusLong:
		return mbusLongFrame(p)
	case p[0] == mbusAck:
		return noise(1)
	}
	return noise(until(p, isMBusMark))
}

func mbusShortFrame(p []byte) verdict {
	switch {
	case len(p) < 5:
		return wait()
	case p[4] != mbusStop:
		return noise(1)
	case p[3] != sum8(p[1:3]):
		return reject(5, 1)
	}
	return found(5, p[:5])
}

func mbusLongFrame(p []byte) verdict {
	if len(p) > 1 && p[1] < 3 || len(p) > 2 && p[2] != p[1] || len(p) > 3 && p[3] != mbusLong {
		return noise(1)
	}
	if len(p) < 2 {
		return wait()
	}
	size := 6 + int(p[1])
	switch {
	case len(p) < size:
		return wait()
	case p[size-1] != mbusStop || p[size-2] != sum8(p[4:size-2]):
		return reject(size, 1)
	}
	return found(size, p[:size])
}

func isMBusMark(c byte) bool { return c == mbusAck || c == mbusShort || c == mbusLong }

func sum8(p []byte) (sum byte) {
	for _, c := range p {
		sum += c
	}
	return sum
}
