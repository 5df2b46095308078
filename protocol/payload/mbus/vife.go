package mbus

import "strconv"

// The codes of VIFEs that mean more than a word.
const (
	noError       = 0x00
	perFirst      = 0x20
	perLast       = 0x38
	startOf       = 0x39
	lowerExceeds  = 0x41
	upperExceeds  = 0x49
	tenPowers     = 0x70 // to 0x77: 10^-6 to 10^1
	secondTable   = 0x7c
	thousand      = 0x7d
	ownFromHereOn = 0x7f
)

// per are the units that codes from perFirst to perLast put below the value's,
// and from 36 on the ones that it is multiplied with, with their words.
var per = [...]struct{ word, unit string }{
	{"per_second", "/s"}, {"per_minute", "/min"}, {"per_hour", "/h"}, {"per_day", "/d"},
	{"per_week", "/wk"}, {"per_month", "/mo"}, {"per_year", "/a"}, {"per_revolution", "/rev"},
	{"per_input_pulse_0", "/pulse"}, {"per_input_pulse_1", "/pulse"},
	{"per_output_pulse_0", "/pulse"}, {"per_output_pulse_1", "/pulse"},
	{"per_litre", "/l"}, {"per_m3", "/m³"}, {"per_kg", "/kg"}, {"per_kelvin", "/K"},
	{"per_kwh", "/kWh"}, {"per_gj", "/GJ"}, {"per_kw", "/kW"}, {"per_kelvin_litre", "/(K·l)"},
	{"per_volt", "/V"}, {"per_ampere", "/A"},
	{"times_second", "·s"}, {"times_second_per_volt", "·s/V"}, {"times_second_per_ampere", "·s/A"},
}

// words are VIFEs that say what the value is of.
var words = [128]string{
	0x12: "average", 0x14: "relative_deviation", 0x1d: "standard_conform",
	startOf: "start", 0x3a: "uncorrected", 0x3b: "forward", 0x3c: "backward",
	0x3e: "base_conditions",
	0x40: "lower_limit", lowerExceeds: "lower_limit_exceeds",
	0x42: "lower_limit_first_end", 0x43: "lower_limit_first_begin",
	0x46: "lower_limit_last_end", 0x47: "lower_limit_last_begin",
	0x48: "upper_limit", upperExceeds: "upper_limit_exceeds",
	0x4a: "upper_limit_first_end", 0x4b: "upper_limit_first_begin",
	0x4e: "upper_limit_last_end", 0x4f: "upper_limit_last_begin",
	0x50: "lower_limit_first_duration", 0x51: "lower_limit_first_duration",
	0x52: "lower_limit_first_duration", 0x53: "lower_limit_first_duration",
	0x54: "lower_limit_last_duration", 0x55: "lower_limit_last_duration",
	0x56: "lower_limit_last_duration", 0x57: "lower_limit_last_duration",
	0x58: "upper_limit_first_duration", 0x59: "upper_limit_first_duration",
	0x5a: "upper_limit_first_duration", 0x5b: "upper_limit_first_duration",
	0x5c: "upper_limit_last_duration", 0x5d: "upper_limit_last_duration",
	0x5e: "upper_limit_last_duration", 0x5f: "upper_limit_last_duration",
	0x60: "first_duration", 0x61: "first_duration", 0x62: "first_duration", 0x63: "first_duration",
	0x64: "last_duration", 0x65: "last_duration", 0x66: "last_duration", 0x67: "last_duration",
	0x68: "during_lower_limit", 0x69: "leakage", 0x6c: "during_upper_limit", 0x6d: "overflow",
	0x6a: "first_end", 0x6b: "first_begin", 0x6e: "last_end", 0x6f: "last_begin",
	0x7e: "future",
}

// secondWords are VIFEs of the second table.
var secondWords = [128]string{
	0x01: "phase_l1", 0x02: "phase_l2", 0x03: "phase_l3", 0x04: "neutral",
	0x05: "phase_l1_l2", 0x06: "phase_l2_l3", 0x07: "phase_l3_l1",
	0x08: "quadrant_1", 0x09: "quadrant_2", 0x0a: "quadrant_3", 0x0b: "quadrant_4",
	0x0c: "import_export_difference", 0x10: "absolute",
}

// modify takes one VIFE into r and appends its word to the name.
func (r *record) modify(name []byte, code byte) []byte {
	switch {
	case r.own:
		return appendHex(append(name, '_'), code)
	case r.second:
		r.second = false
		return r.say(name, secondWords[code], "vife_7c_", code)
	case code == noError:
		return name
	case carriesError(code):
		r.failed = true
		return name
	case code >= tenPowers && code < tenPowers+8:
		r.exp += int(code) - tenPowers - 6
		return name
	case code == thousand:
		r.exp += 3
		return name
	case code == secondTable:
		r.second = true
		return name
	case code == ownFromHereOn:
		r.own, r.changed = true, true
		return append(name, "_manufacturer"...)
	case code >= perFirst && code <= perLast:
		p := per[code-perFirst]
		r.per = p.unit
		return r.say(name, p.word, "", code)
	}
	r.retime(code)
	return r.say(name, words[code], "vife_", code)
}

// say appends a word, or else the code behind prefix.
func (r *record) say(name []byte, word, prefix string, code byte) []byte {
	r.changed = true
	name = append(name, '_')
	if word != "" {
		return append(name, word...)
	}
	return appendHex(append(name, prefix...), code)
}

// carriesError reports whether a VIFE says that the record has no value: errors
// of the DIF (01 to 07), of the VIF (0b to 0f) and of the data (15 to 1c).
func carriesError(code byte) bool {
	return code <= 0x07 || code >= 0x0b && code <= 0x0f || code >= 0x15 && code <= 0x1c
}

// retime makes a date, a duration or a count of a record whose VIFE asks when, how
// long or how often instead of how much.
func (r *record) retime(code byte) {
	switch {
	case code == lowerExceeds, code == upperExceeds:
		r.quantity = quantity{name: r.name, sort: plain}
	case code == startOf, code&0xf2 == 0x42, code&0xfa == 0x6a:
		r.quantity = quantity{name: r.name, sort: point}
	case code&0xf0 == 0x50, code&0xf8 == 0x60:
		r.quantity = quantity{name: r.name, unit: "s", factor: steps[code&3]}
	}
}

func appendHex(dst []byte, c byte) []byte {
	if c < 0x10 {
		dst = append(dst, '0')
	}
	return strconv.AppendUint(dst, uint64(c), 16)
}
