package lineproto

import (
	"errors"
	"strconv"
	"strings"

	"sluice/protocol"
)

var errNoValue = errors.New("encode reading: it has no value")

// most metrics that an error names.
const most = 3

// lossOf says which metrics are NaN or infinite, and so not in the line. Without
// a rest there is no line at all.
func lossOf(metrics []protocol.Metric, rest bool) error {
	var lost []string
	more := 0
	for i := range metrics {
		switch m := &metrics[i]; {
		case isFinite(m.Value):
		case len(lost) == most:
			more++
		default:
			lost = append(lost, strconv.Quote(m.Name)+" is "+m.Value.String())
		}
	}
	if len(lost) == 0 {
		return errNoValue
	}
	text := "encode reading: " + strings.Join(lost, ", ")
	if more > 0 {
		text += " and " + strconv.Itoa(more) + " more"
	}
	text += ", which line protocol cannot hold"
	if rest {
		text += "; its other metrics are stored"
	}
	return errors.New(text)
}
