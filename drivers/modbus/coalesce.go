package modbus

import (
	"cmp"
	"slices"

	"sluice/protocol/modbus"
)

// coalesce returns the requests that read the metrics: as few as the limits
// allow, and each no longer than it needs to be.
func coalesce(metrics []metric, l *limits) []read {
	order := make([]int, len(metrics))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, y := &metrics[a], &metrics[b]
		return cmp.Or(cmp.Compare(x.space, y.space), cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to), cmp.Compare(a, b))
	})
	var reads []read
	for _, island := range islands(metrics, order, l) {
		reads = append(reads, split(metrics, island, l)...)
	}
	return reads
}

// islands cuts metrics in the order of their addresses where the limits do not
// let a request reach over.
func islands(metrics []metric, order []int, l *limits) [][]int {
	var all [][]int
	begin, end := 0, 0 // of the island in order; its last address
	for i, n := range order {
		m := &metrics[n]
		if i > begin {
			_, gap := l.most(m.space)
			between := span{end, m.from}
			if m.space != metrics[order[begin]].space || m.from-end > gap || m.from > end && l.forbids(m.space, between) {
				all = append(all, order[begin:i])
				begin, end = i, 0
			}
		}
		end = max(end, m.to)
	}
	if begin < len(order) {
		all = append(all, order[begin:])
	}
	return all
}

// split cuts an island into requests. Each begins at the first metric that is
// not read yet and takes all that end within its reach: no other choice needs
// fewer, since nothing that is left begins before that metric.
func split(metrics []metric, island []int, l *limits) []read {
	var reads []read
	for left := slices.Clone(island); len(left) > 0; {
		space, from := metrics[left[0]].space, metrics[left[0]].from
		most, _ := l.most(space)
		to := from
		var taken, later []int
		for _, n := range left {
			if m := &metrics[n]; m.to <= from+most {
				taken, to = append(taken, n), max(to, m.to)
			} else {
				later = append(later, n)
			}
		}
		reads = append(reads, newRead(space, span{from, to}, taken))
		left = later
	}
	return reads
}

func newRead(s space, of span, metrics []int) read {
	r := read{
		request: modbus.Request{Function: readers[s], Address: uint16(of.from), Quantity: uint16(of.to - of.from)},
		metrics: metrics,
	}
	r.pdu, _ = r.request.Append(nil) // it is within the limits of the protocol
	return r
}
