package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"sluice/drivers/modbus"
	"sluice/protocol"
)

// print writes the explanation for people, step by step.
func (e *explanation) print(w io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "driver   %s, %s\n", e.driver, printable(e.row))
	for _, row := range e.others {
		fmt.Fprintf(&text, "also     %s\n", printable(row))
	}
	fmt.Fprintf(&text, "device   %s", printable(e.device.Name))
	for _, t := range e.device.Tags {
		fmt.Fprintf(&text, "  %s=%s", t.Key, printable(t.Value))
	}
	fmt.Fprintf(&text, "\nprofile  %s\n", e.device.Profile)
	for _, r := range e.asked {
		fmt.Fprintf(&text, "reads    %s\n", r)
	}
	fmt.Fprintf(&text, "report   %s\n", reportRule(e.device))
	if e.result != nil {
		text.WriteByte('\n')
		if err := e.result.printText(&text); err != nil {
			return err
		}
	}
	for _, o := range e.deliveries {
		fmt.Fprintf(&text, "\nsink %s: %s\n", o.Sink, printable(o.To))
		if o.Body != "" {
			fmt.Fprintf(&text, "  %s\n", strings.TrimSuffix(o.Body, "\n"))
		}
		if o.Loss != "" {
			fmt.Fprintf(&text, "  not carried: %s\n", o.Loss)
		}
	}
	_, err := w.Write(text.Bytes())
	return err
}

// reportRule says when readings of a device are forwarded. What came before a
// message is not known here, so it says the rule and no verdict.
func reportRule(d *protocol.Device) string {
	r := d.Reports
	if r == nil || r.All == nil {
		return "every reading" + silentAfter(r)
	}
	text := "when " + ruleWords(*r.All)
	for _, name := range sortedKeys(r.Metrics) {
		text += "; " + name + " when " + ruleWords(r.Metrics[name])
	}
	return text + silentAfter(r)
}

// ruleWords says a rule, or what is different in it.
func ruleWords(r protocol.Report) string {
	text := "it has changed"
	if r.When == protocol.WhenAlways {
		text = "it comes"
	}
	if r.Deadband != nil {
		text += " by more than " + r.Deadband.String()
	}
	if r.Min != nil && *r.Min > 0 {
		text += fmt.Sprintf(", no sooner than %v after the last", *r.Min)
	}
	if r.Max != nil && *r.Max > 0 {
		text += fmt.Sprintf(", or %v have passed", *r.Max)
	}
	return text
}

func silentAfter(r *protocol.Reports) string {
	if r == nil || r.StaleAfter == 0 {
		return ""
	}
	return fmt.Sprintf("; silent after %v", r.StaleAfter)
}

// summary returns the explanation for programs.
func (e *explanation) summary() any {
	type told struct {
		Driver  string            `json:"driver"`
		Row     string            `json:"row"`
		Others  []string          `json:"other_rows,omitempty"`
		Device  string            `json:"device"`
		Profile string            `json:"profile"`
		Tags    map[string]string `json:"tags,omitempty"`
		Reads   []modbus.Read     `json:"reads,omitempty"`
		Report  string            `json:"report"`
		Message json.RawMessage   `json:"message,omitempty"` // as decode --json prints it
		Sent    []delivered       `json:"sinks"`
	}
	t := told{Driver: e.driver, Row: e.row, Others: e.others, Device: e.device.Name, Profile: e.device.Profile,
		Tags: map[string]string{}, Reads: e.asked, Report: reportRule(e.device), Sent: e.deliveries}
	for _, tag := range e.device.Tags {
		t.Tags[tag.Key] = tag.Value
	}
	if e.result != nil {
		var message bytes.Buffer
		_ = e.result.printJSON(&message) // to memory: cannot fail
		t.Message = message.Bytes()
	}
	return t
}
