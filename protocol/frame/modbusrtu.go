package frame

import "sluice/protocol/checksum"

// AppendModbusRTU appends frame, a device's address and what it is to do or has
// to say, with its checksum.
func AppendModbusRTU(dst, frame []byte) []byte {
	crc, _ := checksum.Lookup("CRC-16/MODBUS")
	return crc.Append(append(dst, frame...), frame, true)
}

const (
	modbusMax = 256 // bytes of the longest frame
	modbusMin = 4   // and of the shortest: address, function, checksum
)

// modbusRTU is the grammar of Modbus RTU frames, requests and responses. The
// payload is the whole frame, checksum included. A frame of a function that the
// specification does not know is found when the line was quiet before and after.
type modbusRTU struct{ crc checksum.Sum }

func newModbusRTU() *modbusRTU {
	crc, _ := checksum.Lookup("CRC-16/MODBUS")
	return &modbusRTU{crc}
}

func (g *modbusRTU) limit() int { return modbusMax }

func (g *modbusRTU) reset() {}

func (g *modbusRTU) look(p []byte, at place) verdict {
	if len(p) < 2 {
		return wait()
	}
	request, response := modbusRequest(p), modbusResponse(p)
	short, long := min(request, response), max(request, response)
	if long == short+1 && !(at.quiet && len(p) == short) && (len(p) < long || g.whole(p[:long])) {
		// A frame whose checksum ends with 00 is a whole frame without that
		// byte too: a response with two registers would be a request in one of
		// 256 cases.
		short = long
	}
	unknown := long == 0
	more := unknown && at.clean && len(p) < modbusMax
	for _, n := range [...]int{short, long} {
		switch {
		case n == 0 || n > modbusMax:
		case n == pending || n > len(p):
			more = true
		case g.whole(p[:n]):
			return found(n, p[:n])
		}
	}
	switch {
	case more && at.quiet && at.clean && g.whole(p):
		return found(len(p), p)
	case more:
		return wait()
	case at.clean:
		return reject(max(short, modbusMin), 1)
	}
	return noise(1)
}

// whole reports whether p is a frame, by its checksum.
func (g *modbusRTU) whole(p []byte) bool {
	n := len(p)
	return n >= modbusMin && g.crc.Of(p[:n-2]) == uint64(p[n-2])|uint64(p[n-1])<<8
}

// pending is the length of a frame whose bytes that tell are not there yet.
const pending = -1

// modbusRequest returns the length of the request that begins with p, 0 when
// there is no such request.
func modbusRequest(p []byte) int {
	switch p[1] {
	case 1, 2, 3, 4, 5, 6, 8:
		return 8
	case 7, 11, 12, 17:
		return 4
	case 15, 16:
		return counted(p, 6, 9)
	case 20, 21:
		return counted(p, 2, 5)
	case 22:
		return 10
	case 23:
		return counted(p, 10, 13)
	case 24:
		return 6
	case 43:
		return 7
	}
	return 0
}

// modbusResponse is modbusRequest for responses.
func modbusResponse(p []byte) int {
	switch f := p[1]; {
	case f >= 0x80:
		return 5 // an exception
	case f >= 1 && f <= 4, f == 12, f == 17, f == 20, f == 21, f == 23:
		return counted(p, 2, 5)
	case f == 5, f == 6, f == 8, f == 11, f == 15, f == 16:
		return 8
	case f == 7:
		return 5
	case f == 22:
		return 10
	case f == 24:
		return queued(p)
	case f == 43:
		return identified(p)
	}
	return 0
}

// counted returns the length of a frame with a byte at the offset that counts
// what it holds beside others.
func counted(p []byte, offset, others int) int {
	if len(p) <= offset {
		return pending
	}
	return others + int(p[offset])
}

// queued is the length of a response with the content of a FIFO queue.
func queued(p []byte) int {
	if len(p) < 4 {
		return pending
	}
	return 6 + int(p[2])<<8 + int(p[3])
}

// identified is the length of a response with a device's identification: a list
// of objects that tell their lengths.
func identified(p []byte) int {
	const list = 8
	if len(p) < list {
		return pending
	}
	n := list
	for range p[list-1] {
		if len(p) < n+2 {
			return pending
		}
		n += 2 + int(p[n+1])
		if n > modbusMax {
			break
		}
	}
	return n + 2
}
