package influx

import (
	"bytes"
	"fmt"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/lineproto"
)

// batch is the readings of one Write as lines, and what is to be said of each.
// Its buffers are kept from one Write to the next.
type batch struct {
	encoder *lineproto.Encoder
	lines   []byte
	each    []line // by reading
	rest    []byte // lines without those that were taken out
	taken   bool   // some were taken out
}

// line is one reading's.
type line struct {
	end int   // where it ends in lines
	out bool  // the server has rejected it
	err error // why the reading, or a part of it, cannot be stored
}

func (b *batch) encode(readings []protocol.Reading) {
	if cap(b.lines) > keptRoom {
		b.lines, b.rest = nil, nil
	}
	b.lines, b.each, b.taken = b.lines[:0], b.each[:0], false
	for i := range readings {
		var err error
		b.lines, err = b.encoder.Append(b.lines, &readings[i])
		b.each = append(b.each, line{end: len(b.lines), err: err})
	}
}

// verdict returns what is to be said when the server has confirmed the rest.
func (b *batch) verdict() error {
	var rejected []sink.Rejection
	for i := range b.each {
		if err := b.each[i].err; err != nil {
			rejected = append(rejected, sink.Rejection{Index: i, Err: sink.Permanent(err)})
		}
	}
	if len(rejected) == 0 {
		return nil
	}
	return &sink.PartialError{Rejected: rejected}
}

// of returns the line of reading i, empty when it has none.
func (b *batch) of(i int) []byte {
	start := 0
	if i > 0 {
		start = b.each[i-1].end
	}
	return b.lines[start:b.each[i].end]
}

// linesOf returns the lines of readings lo to hi-1 that were not taken out. They
// are good until the next call.
func (b *batch) linesOf(lo, hi int) []byte {
	if lo == hi {
		return nil
	}
	if !b.taken {
		return b.lines[b.each[lo].end-len(b.of(lo)) : b.each[hi-1].end]
	}
	b.rest = b.rest[:0]
	for i := lo; i < hi; i++ {
		if !b.each[i].out {
			b.rest = append(b.rest, b.of(i)...)
		}
	}
	return b.rest
}

// split returns the lines that linesOf joins, without their ends.
func (b *batch) split(lo, hi int) [][]byte {
	var lines [][]byte
	b.present(lo, hi, func(i int) { lines = append(lines, bytes.TrimSuffix(b.of(i), []byte{'\n'})) })
	return lines
}

// present calls each for every reading that has a line among those of linesOf,
// in their order.
func (b *batch) present(lo, hi int, each func(i int)) {
	for i := lo; i < hi; i++ {
		if !b.each[i].out && len(b.of(i)) > 0 {
			each(i)
		}
	}
}

// reject takes out the lines that were named by their numbers among those of
// linesOf.
func (b *batch) reject(lo, hi int, named map[int]string, bucket string) {
	number := 0
	b.present(lo, hi, func(i int) {
		if reason, ok := named[number]; ok {
			b.each[i].out = true
			b.each[i].err = fmt.Errorf("write to bucket %q: the server rejects the line: %s", bucket, reason)
		}
		number++
	})
	b.taken = true
}

// rejectAlone takes out the line of reading i.
func (b *batch) rejectAlone(i int, err error) {
	b.each[i].out, b.each[i].err, b.taken = true, err, true
}
