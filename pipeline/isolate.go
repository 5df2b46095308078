package pipeline

import (
	"context"

	"sluice/protocol"
	"sluice/sink"
)

// isolate delivers readings that were refused as a whole, for why: it finds those at
// fault, which become dead letters, and has all others stored. It returns false when
// ctx ended first.
//
// It looks for the first one at fault by halves, and then goes on in groups as large
// as the last gap between two of them was, and larger while all is well. So few at
// fault cost few writes, wherever they are: one in 5,000 takes up to 22, and k of n no
// more than 2k(log2(n/k)+1)+1. (Growing by 3: by 2 a single one costs more, by 4 every
// second one does.)
func (d *delivery) isolate(ctx context.Context, f *feed, readings []protocol.Reading, why error) bool {
	group, alone := len(readings), len(readings) == 1 // the first group readings hold one at fault; alone: that is one that was tried
	for {
		before := len(readings)
		for group > 1 || !alone {
			half := max(1, group/2)
			v, err := d.attempt(ctx, f, readings[:half])
			switch v {
			case stopped:
				return false
			case stored:
				readings, group, alone = readings[half:], group-half, false
			case refused:
				group, alone, why = half, half == 1, err
			}
			if group == 0 { // together they were refused, one by one they are not
				break
			}
		}
		if group > 0 {
			if !d.setAside(ctx, f, readings[:1], []sink.Rejection{{Index: 0, Err: why}}) {
				return false
			}
			readings = readings[1:]
		}
		var ok bool
		if readings, group, alone, why, ok = d.gallop(ctx, f, readings, before-len(readings)); !ok || len(readings) == 0 {
			return ok
		}
	}
}

// gallop delivers readings in groups, the first of at least size, until one is
// refused, whose size it returns and why; or until none is left.
func (d *delivery) gallop(ctx context.Context, f *feed, readings []protocol.Reading, size int) (
	rest []protocol.Reading, group int, alone bool, why error, ok bool) {
	n := 1
	for n < size {
		n *= 2
	}
	for len(readings) > 0 {
		group := min(n, len(readings))
		switch v, err := d.attempt(ctx, f, readings[:group]); v {
		case stopped:
			return readings, 0, false, nil, false
		case refused:
			return readings, group, group == 1, err, true
		}
		readings = readings[group:]
		n *= 3
	}
	return nil, 0, false, nil, true
}
