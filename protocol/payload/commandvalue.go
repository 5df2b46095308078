package payload

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
)

// Check returns what is wrong with text as what an operator wants a device to be
// told, "" being nothing at all. The error is a sentence for the operator about
// the command called name.
func (c *Command) Check(name, text string) error {
	switch {
	case !c.WantsValue() && text != "" && text != c.Value:
		return fmt.Errorf("%s takes no value", name)
	case !c.WantsValue():
		return nil
	case text == "":
		return fmt.Errorf("%s wants a value: %s", name, c.Wanted())
	}
	if _, err := c.Told(text); err != nil {
		return fmt.Errorf("the value of %s %w", name, err)
	}
	return nil
}

// WantsValue reports whether the operator has to say a value.
func (c *Command) WantsValue() bool {
	if c.Value != "" {
		return false
	}
	return c.IsSet() || ParseTemplate(c.Payload).Has(ValueName) || ParseTemplate(c.Request).Has(ValueName)
}

// Wanted says which values the command takes, for people; "" when it takes none.
func (c *Command) Wanted() string {
	if !c.WantsValue() {
		return ""
	}
	return c.takes()
}

// takes says which values can be sent.
func (c *Command) takes() string {
	var words []string
	for _, sent := range slices.Sorted(maps.Keys(c.Map)) {
		if !slices.Contains(words, c.Map[sent]) {
			words = append(words, c.Map[sent])
		}
	}
	number := "a number"
	if c.Range != nil {
		number = fmt.Sprintf("%v to %v", c.Range[0], c.Range[1])
	}
	switch {
	case c.isNumber() && len(words) > 0:
		return oneOf(append(words, number))
	case len(words) == 1:
		return words[0]
	case len(words) > 1:
		return oneOf(words)
	case c.isNumber() && c.Unit != "":
		return number + " " + c.Unit
	case c.isNumber():
		return number
	case c.isBool():
		return "on or off"
	case c.Type == "bytes":
		return "hexadecimal digits"
	}
	return "a text"
}

// Told is a value on its way to a device.
type Told struct {
	Means protocol.Value // as the operator means it
	Sent  protocol.Value // as it goes to the device
}

// Told returns what text, which an operator wants a device to be told, is to the
// device: the inverse of map, scale and offset. The error reads on after the name
// of what holds text.
func (c *Command) Told(text string) (Told, error) {
	if c.IsSet() {
		sent, err := c.Sent(text)
		return Told{protocol.String(text), sent}, err
	}
	for _, sent := range slices.Sorted(maps.Keys(c.Map)) {
		if c.Map[sent] == text || c.isBool() && sameBool(c.Map[sent], text) {
			return Told{c.plain(text), bareValue(sent)}, nil
		}
	}
	switch {
	case c.isNumber():
		return c.number(text)
	case len(c.Map) > 0:
		return Told{}, fmt.Errorf("is %q, want %s", text, c.takes())
	case c.isBool():
		on, err := parseBool(text)
		return Told{on, on}, err
	}
	v := c.plain(text)
	return Told{v, v}, nil
}

// number is Told for numbers.
func (c *Command) number(text string) (Told, error) {
	n, err := c.inRange(text)
	if err != nil {
		return Told{}, err
	}
	means, _ := parseNumber(strings.TrimSpace(text)) // it is one
	switch {
	case c.Type == "int" && means.Kind() != protocol.KindInt, c.Type == "uint" && (n < 0 || means.Kind() == protocol.KindFloat):
		return Told{}, fmt.Errorf("is %s, want a whole number that fits %s", text, c.Type)
	case c.Scale == nil && c.Offset == nil:
		return Told{means, means}, nil
	}
	return Told{means, protocol.Float(c.Metric.Sent(n))}, nil
}

// plain returns text as a value of the command's type that is no number.
func (c *Command) plain(text string) protocol.Value {
	if c.Type == "string" {
		return protocol.String(text)
	}
	if on, err := parseBool(text); c.isBool() && err == nil {
		return on
	}
	return bareValue(text)
}

// bareValue reads text as JSON does: a number, true or false, or else a text, such
// as 007.
func bareValue(text string) protocol.Value {
	v, err := parseNumber(text)
	exact := v.Kind() != protocol.KindFloat || strings.ContainsAny(text, ".eE")
	switch {
	case text == "true" || text == "false":
		return protocol.Bool(text == "true")
	case err == nil && exact && json.Valid([]byte(text)):
		return v
	}
	return protocol.String(text)
}

func sameBool(a, b string) bool {
	x, errX := parseBool(a)
	y, errY := parseBool(b)
	return errX == nil && errY == nil && x == y
}

// Sent returns what is put into the registers when text is the value that is
// meant: the inverse of map, scale and offset. The error reads on after the name
// of what holds text.
func (c *Command) Sent(text string) (protocol.Value, error) {
	for _, sent := range slices.Sorted(maps.Keys(c.Map)) {
		if c.Map[sent] == text {
			return c.bare(sent)
		}
	}
	if !c.isNumber() {
		return c.bare(text)
	}
	n, err := c.inRange(text)
	if err != nil {
		return protocol.Value{}, err
	}
	if c.Scale == nil && c.Offset == nil {
		return c.bare(text)
	}
	return protocol.Float(c.Metric.Sent(n)), nil
}

// inRange reads a number that the command takes.
func (c *Command) inRange(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		return 0, fmt.Errorf("is %q, want a number", text)
	case c.Range != nil && (n < c.Range[0] || n > c.Range[1]):
		return 0, fmt.Errorf("is %s, want %v to %v", text, c.Range[0], c.Range[1])
	}
	return n, nil
}

func (c *Command) isBool() bool { return c.Coil != nil || c.Type == "bool" }

// isNumber reports whether the value is a number: that of registers is where
// nothing else is said, that of a message where something says so.
func (c *Command) isNumber() bool {
	switch {
	case c.isBool() || c.Type == "string" || c.Type == "bytes":
		return false
	case c.IsSet():
		return true
	}
	return c.Type != "" || c.Scale != nil || c.Offset != nil || c.Range != nil
}

// bare returns text as the registers' type wants it, without a meaning.
func (c *Command) bare(text string) (protocol.Value, error) {
	switch {
	case c.isBool():
		return parseBool(text)
	case c.Type == "string":
		return protocol.String(text), nil
	case c.Type == "bytes":
		p, err := hex.DecodeString(text)
		if err != nil {
			return protocol.Value{}, fmt.Errorf("is %q, want bytes as hexadecimal digits", text)
		}
		return protocol.Bytes(string(p)), nil
	}
	return parseNumber(strings.TrimSpace(text))
}

func parseBool(text string) (protocol.Value, error) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "on", "1":
		return protocol.Bool(true), nil
	case "false", "off", "0":
		return protocol.Bool(false), nil
	}
	return protocol.Value{}, fmt.Errorf("is %q, want true or false", text)
}

// parseNumber keeps integers exact.
func parseNumber(text string) (protocol.Value, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return protocol.Int(n), nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return protocol.Uint(n), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return protocol.Value{}, fmt.Errorf("is %q, want a number", text)
	}
	return protocol.Float(n), nil
}

// sameWithin is how far apart, relative to their size, two numbers may be that
// are meant to be the same: devices reckon with float32.
const sameWithin = 1e-6

// Agrees reports whether v, which a device shows, is what it was told, as it was
// meant or as it was sent.
func (t Told) Agrees(v protocol.Value) bool { return sameValue(t.Means, v) || sameValue(t.Sent, v) }

func sameValue(a, b protocol.Value) bool {
	x, isX := a.Number()
	y, isY := b.Number()
	switch {
	case a.IsNull() || b.IsNull():
		return false
	case isX && isY:
		return math.Abs(x-y) <= sameWithin*max(math.Abs(x), math.Abs(y))
	case a.Kind() == protocol.KindBool || b.Kind() == protocol.KindBool:
		return sameBool(a.String(), b.String())
	}
	return a.String() == b.String()
}
