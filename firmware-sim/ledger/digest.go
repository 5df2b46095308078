package ledger

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
)

// digest returns a hash of names and values that does not depend on their order
// nor on how a sink spells numbers: 21 and 21.0 are the same. l.mu is held.
func (l *Ledger) digest(metrics []protocol.Metric) uint64 {
	l.sort = append(l.sort[:0], metrics...)
	slices.SortFunc(l.sort, func(a, b protocol.Metric) int { return strings.Compare(a.Name, b.Name) })
	var room [64]byte
	h := uint64(fnvOffset)
	for i := range l.sort {
		h = hash(h, l.sort[i].Name)
		text := canonical(room[:0], l.sort[i].Value)
		h = hash(h, string(text))
	}
	return mix(h)
}

// canonical appends the kind of v and its text. Integers that a float64 holds
// exactly read like floats.
func canonical(dst []byte, v protocol.Value) []byte {
	const exact = 1 << 53
	switch v.Kind() {
	case protocol.KindFloat:
		return number(dst, v.Float())
	case protocol.KindInt:
		if n := v.Int(); n > exact || n < -exact {
			return strconv.AppendInt(append(dst, 'n'), n, 10)
		}
		return number(dst, float64(v.Int()))
	case protocol.KindUint:
		if v.Uint() > exact {
			return strconv.AppendUint(append(dst, 'n'), v.Uint(), 10)
		}
		return number(dst, float64(v.Uint()))
	case protocol.KindBool:
		return strconv.AppendBool(append(dst, 'b'), v.Bool())
	case protocol.KindString:
		return append(append(dst, 's'), v.Text()...)
	case protocol.KindBytes:
		return base64.StdEncoding.AppendEncode(append(dst, 's'), []byte(v.Text()))
	}
	return append(dst, '0')
}

func number(dst []byte, f float64) []byte {
	if f == 0 {
		f = 0 // JSON and line protocol lose the sign of -0
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = append(dst, 's') // JSON carries these as text
	} else {
		dst = append(dst, 'n')
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// FNV-1a, with a separator after every part.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hash(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return (h ^ 0xff) * fnvPrime
}

// text writes metrics for people.
func text(metrics []protocol.Metric) string {
	parts := make([]string, len(metrics))
	for i := range metrics {
		parts[i] = metrics[i].Name + "=" + metrics[i].Value.String()
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
