package binary

import (
	"fmt"
	"strings"
)

// Order is the order in which the bytes of a number are sent. Modbus users name
// it by what becomes of ABCD, A being the highest byte of a 32-bit number; a
// register is two bytes.
type Order uint8

// The orders. Big, the zero Order, is ABCD; Little is DCBA. CDAB sends the
// lowest register first and in each register the high byte first, BADC the
// highest register first and in each register the low byte first. Longer and
// shorter numbers follow the same rule.
const (
	Big Order = iota
	Little
	CDAB
	BADC
)

var orderNames = [...]string{"big", "little", "CDAB", "BADC"}

// Orders returns the names that configuration files use.
func Orders() []string { return orderNames[:len(orderNames):len(orderNames)] }

// ParseOrder reads the name that configuration files use: big, little, CDAB or
// BADC. "" is Big.
func ParseOrder(name string) (Order, error) {
	if name == "" {
		return Big, nil
	}
	for i, n := range orderNames {
		if n == name {
			return Order(i), nil
		}
	}
	const want = "want big (ABCD), little (DCBA), CDAB or BADC"
	switch upper := strings.ToUpper(name); upper {
	case "ABCD", "AB":
		return Big, fmt.Errorf("is %q, which is written big: %s", name, want)
	case "DCBA", "BA":
		return Big, fmt.Errorf("is %q, which is written little: %s", name, want)
	}
	return Big, fmt.Errorf("is %q, %s", name, want)
}

// String returns the name that configuration files use for o.
func (o Order) String() string {
	if int(o) < len(orderNames) {
		return orderNames[o]
	}
	return fmt.Sprintf("Order(%d)", uint8(o))
}

// load returns the number that p holds, at most 8 bytes.
func (o Order) load(p []byte) uint64 {
	var n uint64
	switch {
	case o == Big || len(p) == 1:
		for _, b := range p {
			n = n<<8 | uint64(b)
		}
	case o == Little:
		for i := len(p) - 1; i >= 0; i-- {
			n = n<<8 | uint64(p[i])
		}
	case o == CDAB:
		for i := len(p) - 2; i >= 0; i -= 2 {
			n = n<<16 | uint64(p[i])<<8 | uint64(p[i+1])
		}
	default:
		for i := 0; i+1 < len(p); i += 2 {
			n = n<<16 | uint64(p[i+1])<<8 | uint64(p[i])
		}
	}
	return n
}

// store fills p with the low bytes of n.
func (o Order) store(p []byte, n uint64) {
	last := len(p) - 1
	for i := range p {
		b := byte(n >> (8 * i)) // the byte of this worth
		switch {
		case o == Big || len(p) == 1:
			p[last-i] = b
		case o == Little:
			p[i] = b
		case o == CDAB:
			p[i^1] = b
		default:
			p[(last-i)^1] = b
		}
	}
}
