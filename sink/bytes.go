package sink

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size. In the file it carries its unit: B, KiB, MiB, GiB, or kB, MB,
// GB for powers of ten.
type Bytes int64

// byteUnits never changes.
var byteUnits = []struct {
	name string
	size int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1},
}

// UnmarshalText reads a number and its unit, such as "256MiB".
func (b *Bytes) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || !(n >= 0 && n*float64(u.size) <= math.MaxInt64/2) {
			return fmt.Errorf("size %q: want a number and a unit, such as 256MiB", s)
		}
		*b = Bytes(n * float64(u.size))
		return nil
	}
	return fmt.Errorf("size %q has no unit: want B, KiB, MiB, GiB, kB, MB or GB, such as 256MiB", s)
}

// String returns b with the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range []int{2, 1, 0} {
		if size := byteUnits[u].size; b != 0 && int64(b)%size == 0 {
			return strconv.FormatInt(int64(b)/size, 10) + byteUnits[u].name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}
