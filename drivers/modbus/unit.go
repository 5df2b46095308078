package modbus

import (
	"fmt"
	"strconv"
	"strings"
)

// The addresses of units. On a serial line 0 is everybody and what is beyond
// 247 is reserved; a server by TCP may use them all, 255 often for itself.
const (
	firstUnit = 1
	lastUnit  = 247
	maxUnit   = 255
)

// ParseUnits reads the units that a row of the device list stands for: numbers
// and ranges with commas between, such as "3" or "1-10, 20". The error reads on
// after the name of what holds text.
func ParseUnits(text string) ([]int, error) {
	var units []int
	var seen [maxUnit + 1]bool
	for part := range strings.SplitSeq(text, ",") {
		first, last, err := parseRange(part)
		if err != nil {
			return nil, fmt.Errorf("is %q, %w", text, err)
		}
		for u := first; u <= last; u++ {
			if seen[u] {
				return nil, fmt.Errorf("is %q, which has %d twice", text, u)
			}
			seen[u] = true
			units = append(units, u)
		}
	}
	return units, nil
}

func parseRange(part string) (first, last int, err error) {
	from, to, ranged := strings.Cut(part, "-")
	if !ranged {
		to = from
	}
	if first, err = parseUnit(from); err != nil {
		return 0, 0, err
	}
	if last, err = parseUnit(to); err != nil {
		return 0, 0, err
	}
	if first > last {
		return 0, 0, fmt.Errorf("want %d-%d", last, first)
	}
	return first, last, nil
}

func parseUnit(text string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
	switch {
	case err != nil:
		return 0, fmt.Errorf("want a number or a range, such as 3 or 1-10")
	case n > maxUnit:
		return 0, fmt.Errorf("want units up to %d", maxUnit)
	}
	return int(n), nil
}
