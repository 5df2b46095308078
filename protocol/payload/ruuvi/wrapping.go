package ruuvi

import "sluice/protocol"

// Ruuvi's company id as it stands in manufacturer data, and the type of the
// structure that holds such data in an advertisement.
const (
	company      = "\x99\x04"
	manufacturer = 0xff
)

// unwrap returns the payload in p, which is an advertisement, manufacturer data
// or the payload itself.
func unwrap(p []byte) ([]byte, *protocol.Refusal) {
	data, whole := structure(p)
	switch {
	case whole && data != nil:
		return data, nil
	case len(p) > len(company) && string(p[:len(company)]) == company:
		return p[len(company):], nil
	case whole && sizeOf(p[0]) != len(p):
		return nil, protocol.Refuse("kind", "an advertisement of another maker")
	}
	return p, nil
}

// structure walks over the structures of an advertisement, each a length, a type
// and data. It returns the payload in Ruuvi's manufacturer data, nil when there
// is none, and whether the structures fill p. Zeros may follow them.
func structure(p []byte) (data []byte, whole bool) {
	for len(p) > 0 && p[0] > 0 {
		n := 1 + int(p[0])
		if n > len(p) {
			return nil, false
		}
		if d := p[2:n]; p[1] == manufacturer && len(d) > len(company) && string(d[:len(company)]) == company {
			data = d[len(company):]
		}
		p = p[n:]
	}
	for _, c := range p {
		if c != 0 {
			return nil, false
		}
	}
	return data, true
}
