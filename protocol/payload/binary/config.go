// Package binary decodes messages of bytes: fields at offsets, as the
// configuration lists them or as a preset knows them for a family of sensors.
//
// It does no I/O, reads no clock and starts no goroutine.
package binary

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sluice/protocol/binary"
	"sluice/protocol/checksum"
)

// Config says how messages are laid out.
//
// A preset stands alone. Otherwise fields are listed; Length, Header and
// Checksum are looked at when they are set. All fields must lie in the message,
// except that with MinLength those behind its end are left out.
type Config struct {
	Preset    string                  `yaml:"preset"`     // a sensor of Presets
	Length    int                     `yaml:"length"`     // bytes of every message; 0: any
	MinLength int                     `yaml:"min_length"` // the least number of bytes; 0: as far as the fields reach
	Order     string                  `yaml:"order"`      // of numbers whose field names none: big (the default), little, CDAB, BADC
	Header    string                  `yaml:"header"`     // the bytes that every message begins with, in hexadecimal
	Checksum  *Checksum               `yaml:"checksum"`
	Fields    map[string]binary.Field `yaml:"fields"` // by metric; an array's are NAME_0, NAME_1, …
}

// Checksum says what a message's checksum is and where it stands.
type Checksum struct {
	Name  string `yaml:"name"`  // a name that package checksum knows, such as sum8 or CRC-16/MODBUS
	At    int    `yaml:"at"`    // its offset; negative: from the end; 0: the last bytes
	From  int    `yaml:"from"`  // offset of the first byte that it covers
	To    int    `yaml:"to"`    // offset behind the last byte that it covers; negative: from the end; 0: up to the checksum
	Order string `yaml:"order"` // big (the default) or little
}

// The limits of a message and of its list of fields.
const (
	maxMessage = 1 << 20 // bytes
	maxMetrics = 4096
	maxName    = 256 // bytes
)

// DefaultConfig returns a Config without settings.
func DefaultConfig() Config { return Config{} }

// Validate reports what is wrong with c: the setting's path and the problem.
func (c *Config) Validate(report func(field, problem string)) {
	if c.Preset != "" {
		c.validatePreset(report)
		return
	}
	if len(c.Fields) == 0 {
		report("fields", "is required: the metrics and where they stand, or preset")
	}
	if c.Length < 0 || c.Length > maxMessage {
		report("length", fmt.Sprintf("is %d, want 0 to %d", c.Length, maxMessage))
	}
	if c.MinLength < 0 || c.MinLength > maxMessage {
		report("min_length", fmt.Sprintf("is %d, want 0 to %d", c.MinLength, maxMessage))
	}
	if c.Length > 0 && c.MinLength > 0 {
		report("min_length", "is set beside length: want one of them")
	}
	if _, err := binary.ParseOrder(c.Order); err != nil {
		report("order", err.Error())
	}
	if _, err := parseHex(c.Header); err != nil {
		report("header", fmt.Sprintf("is %q, want hexadecimal bytes such as 42 4d", c.Header))
	}
	if c.Checksum != nil {
		c.Checksum.validate(func(f, problem string) { report("checksum."+f, problem) })
	}
	c.validateFields(report)
}

func (c *Config) validatePreset(report func(field, problem string)) {
	if _, ok := presetOf(c.Preset); !ok {
		report("preset", fmt.Sprintf("is %q, want %s", c.Preset, strings.Join(Presets(), ", ")))
	}
	if c.Length != 0 || c.MinLength != 0 || c.Order != "" || c.Header != "" || c.Checksum != nil || len(c.Fields) > 0 {
		report("preset", "stands alone: it knows the sensor's message")
	}
}

func (k *Checksum) validate(report func(field, problem string)) {
	sum, ok := checksum.Lookup(k.Name)
	switch {
	case k.Name == "":
		report("name", "is required: "+checksum.Wanted)
	case !ok:
		report("name", fmt.Sprintf("is %q, want %s", k.Name, checksum.Wanted))
	case k.At < 0 && -k.At < sum.Width():
		report("at", fmt.Sprintf("is %d, but the checksum has %d bytes", k.At, sum.Width()))
	}
	if k.From < 0 {
		report("from", fmt.Sprintf("is %d, want 0 or more", k.From))
	}
	if k.To > 0 && k.To <= k.From {
		report("to", fmt.Sprintf("is %d, want more than from, which is %d", k.To, k.From))
	}
	if o, err := binary.ParseOrder(k.Order); err != nil || o != binary.Big && o != binary.Little {
		report("order", fmt.Sprintf("is %q, want big or little", k.Order))
	}
}

func (c *Config) validateFields(report func(field, problem string)) {
	total, taken := 0, map[string]string{} // what each metric belongs to
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		f := c.field(name)
		at := "fields." + name
		valid := true
		f.Validate(func(setting, problem string) {
			valid = false
			report(at+"."+setting, problem)
		})
		if !nameable(name) {
			report(at, "is no name for a metric: want text without control characters, at most 240 bytes")
		}
		if !valid {
			continue
		}
		if total += max(f.Count, 1); total > maxMetrics {
			report(at, fmt.Sprintf("makes more than %d metrics", maxMetrics))
			return
		}
		for _, metric := range namesOf(name, f.Count) {
			if other, ok := taken[metric]; ok {
				report(at, fmt.Sprintf("gives a metric %s, as %s does", metric, other))
			}
			taken[metric] = name
		}
		c.validateReach(report, at, f)
	}
}

// validateReach reports a field that no message of the stated length holds.
func (c *Config) validateReach(report func(field, problem string), at string, f binary.Field) {
	codec, err := binary.Compile(f)
	if err != nil || c.Length <= 0 {
		return
	}
	if from, to, ok := codec.Span(c.Length); !ok {
		report(at+".at", fmt.Sprintf("is %d: bytes %d to %d are not in a message of %d", f.At, from, to-1, c.Length))
	}
}

// field returns a field with the order that the message has.
func (c *Config) field(name string) binary.Field {
	f := c.Fields[name]
	if _, err := binary.ParseOrder(c.Order); err == nil && f.Order == "" && f.Type != "string" && f.Type != "bytes" {
		f.Order = c.Order
	}
	return f
}

// nameable leaves room for an array's numbers.
func nameable(name string) bool {
	return name != "" && len(name) <= maxName-16 && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// namesOf returns the metrics of a field.
func namesOf(name string, count int) []string {
	if count == 0 {
		return []string{name}
	}
	names := make([]string, count)
	for i := range names {
		names[i] = name + "_" + strconv.Itoa(i)
	}
	return names
}

// inOrder returns the names of the fields in the order of the message, those
// that are counted from its end last.
func (c *Config) inOrder() []string {
	return slices.SortedFunc(maps.Keys(c.Fields), func(a, b string) int {
		x, y := c.Fields[a].At, c.Fields[b].At
		if (x < 0) != (y < 0) {
			return cmp.Compare(y, x)
		}
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	})
}

// parseHex reads bytes in hexadecimal, with blanks where people like them.
func parseHex(text string) ([]byte, error) {
	return hex.DecodeString(strings.Join(strings.Fields(text), ""))
}
