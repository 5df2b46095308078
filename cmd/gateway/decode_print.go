package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// result is what came of one message.
type result struct {
	batch   *protocol.Batch
	refusal error // nil: there are readings
	decoder payload.Decoder
}

func (c *decodeCall) print(w io.Writer, r result) error {
	if c.asJSON {
		return r.printJSON(w)
	}
	return r.printText(w)
}

func (r result) printText(w io.Writer) error {
	var text bytes.Buffer
	for i := range r.batch.Readings {
		printReading(&text, &r.batch.Readings[i])
	}
	for _, f := range r.batch.Flaws {
		fmt.Fprintf(&text, "left out (%s): %v\n", f.Refusal.Reason, f.Refusal.Err)
	}
	if reason, detail := refused(r.refusal); reason != "" {
		fmt.Fprintf(&text, "refused (%s): %s\n", reason, detail)
	}
	if topic, message, ok := r.reply(); ok {
		fmt.Fprintf(&text, "answer on %s: %d bytes\n", topic, len(message))
	}
	_, err := w.Write(text.Bytes())
	return err
}

// refused returns reason and details of a refusal, "" when there is none.
func refused(err error) (reason, detail string) {
	if refusal, ok := errors.AsType[*protocol.Refusal](err); ok {
		return refusal.Reason, refusal.Err.Error()
	}
	return "", ""
}

func (r result) reply() (topic string, message []byte, ok bool) {
	if replier, is := r.decoder.(payload.Replier); is {
		return replier.Reply()
	}
	return "", nil, false
}

func printReading(text *bytes.Buffer, r *protocol.Reading) {
	fmt.Fprintf(text, "%s  %s", printable(r.Device.Name), timeText(r))
	for _, t := range r.Device.Tags {
		fmt.Fprintf(text, "  %s=%s", t.Key, printable(t.Value))
	}
	text.WriteByte('\n')
	table := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	for i := range r.Metrics {
		m := &r.Metrics[i]
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s", printable(m.Name), printable(valueText(m.Value)), m.Unit, m.Value.Kind())
		if m.Quality != protocol.Good {
			fmt.Fprintf(table, ", %s", m.Quality)
		}
		fmt.Fprintln(table)
	}
	table.Flush() // to memory: cannot fail
}

// valueText writes a value for people: numbers without an exponent as long as
// they are not endless.
func valueText(v protocol.Value) string {
	if f := v.Float(); v.Kind() == protocol.KindFloat && math.Abs(f) < 1e15 && (f == 0 || math.Abs(f) > 1e-6) {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return v.String()
}

// timeText says which time a reading has.
func timeText(r *protocol.Reading) string {
	switch {
	case r.SourceTime != 0 && r.Historical:
		return r.SourceTime.Time().Format(time.RFC3339Nano) + " (historical)"
	case r.SourceTime != 0:
		return r.SourceTime.Time().Format(time.RFC3339Nano)
	case r.Skewed:
		return "time of receipt (the device's is too far off)"
	}
	return "time of receipt"
}

func (r result) printJSON(w io.Writer) error {
	type problem struct {
		Reason string `json:"reason"`
		Error  string `json:"error"`
	}
	type answer struct {
		Topic   string `json:"topic"`
		Payload []byte `json:"payload"` // base64
	}
	whole := struct {
		Readings []json.RawMessage `json:"readings"`
		LeftOut  []problem         `json:"left_out,omitempty"`
		Refused  *problem          `json:"refused,omitempty"`
		Answer   *answer           `json:"answer,omitempty"`
	}{Readings: []json.RawMessage{}}
	for i := range r.batch.Readings {
		whole.Readings = append(whole.Readings, protocol.AppendJSON(nil, &r.batch.Readings[i]))
	}
	for _, f := range r.batch.Flaws {
		whole.LeftOut = append(whole.LeftOut, problem{f.Refusal.Reason, f.Refusal.Err.Error()})
	}
	if reason, detail := refused(r.refusal); reason != "" {
		whole.Refused = &problem{reason, detail}
	}
	if topic, message, ok := r.reply(); ok {
		whole.Answer = &answer{topic, message}
	}
	return json.NewEncoder(w).Encode(whole)
}
