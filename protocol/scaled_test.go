package protocol

import (
	"math"
	"testing"
)

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		n    int64
		exp  int
		want Value
	}{
		{453, -1, Float(45.3)},
		{0, -3, Float(0)},
		{0, 300, Int(0)},
		{12, 0, Int(12)},
		{12, 3, Int(12000)},
		{math.MaxInt64, 0, Int(math.MaxInt64)},
		{math.MinInt64 / 10, 1, Int(math.MinInt64 / 10 * 10)},
		{math.MaxInt64, 1, Float(9.223372036854775807e19)},
		{1, 400, Float(math.Inf(1))},
		{5, -24, Float(5e-24)},
		{5, -400, Float(0)},
	} {
		if got := Scaled(c.n, c.exp); got != c.want {
			t.Errorf("Scaled(%d, %d) = %v, want %v", c.n, c.exp, got, c.want)
		}
	}
}
