package payload

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of how often registers are read.
const (
	leastPoll = 10 * time.Millisecond
	mostPoll  = 24 * time.Hour
)

// addresses is how many registers or coils of a kind a device can have.
const addresses = 1 << 16

// validateRegisters reports what is wrong with the profile of a Modbus device.
func (p *Profile) validateRegisters(report func(field, problem string)) {
	p.refuseMessages(report)
	p.Reads.validate(report)
	needed := false
	for _, name := range slices.Sorted(maps.Keys(p.Metrics)) {
		m := p.Metrics[name]
		field := "metrics." + name
		if !nameable(name) {
			report(field, "is no name for a metric: want text without control characters, at most 256 bytes")
		}
		needed = needed || m.Poll == 0
		m.validateRegister(func(f, problem string) { report(strings.TrimSuffix(field+"."+f, "."), problem) })
	}
	switch {
	case p.Poll != 0:
		checkPoll(report, p.Poll)
	case needed:
		report("poll", "is required: how often the registers are read, such as 10s")
	}
	p.validateCommands(report)
}

// refuseMessages reports what is of use only where a device sends messages.
func (p *Profile) refuseMessages(report func(field, problem string)) {
	for _, of := range []struct {
		field string
		set   bool
	}{
		{"decode", len(p.Decode.chosen()) > 0},
		{"inside", p.Inside != ""},
		{"encoding", p.Encoding != ""},
		{"time", p.Time != nil},
		{"others", p.Others != ""},
		{"ask", p.Ask != nil},
	} {
		if of.set {
			report(of.field, "is not for a profile whose metrics are registers: no message is decoded")
		}
	}
}

// refuseRegisters reports what is of use only where metrics are registers.
func (p *Profile) refuseRegisters(report func(field, problem string)) {
	if r := p.Reads; r.MaxRegisters != 0 || r.MaxGap != nil || r.Forbidden.isSet() {
		report("reads", "is only for a profile whose metrics are registers")
	}
}

func (f *Forbidden) isSet() bool {
	return len(f.Coil)+len(f.Discrete)+len(f.Input)+len(f.Holding) > 0
}

func checkPoll(report func(field, problem string), poll time.Duration) {
	if poll < leastPoll || poll > mostPoll {
		report("poll", fmt.Sprintf("is %v, want %v to %v", poll, leastPoll, mostPoll))
	}
}

// validateRegister reports what is wrong with a metric in a Modbus device; the
// field is "" where the metric as a whole is meant.
func (m *Metric) validateRegister(report func(field, problem string)) {
	var names []string
	at := 0
	for i, address := range []*int{m.Coil, m.Discrete, m.Input, m.Holding} {
		if address != nil {
			names, at = append(names, spaceNames[i]), *address
		}
	}
	switch {
	case len(names) == 0:
		report("", "has no address: want coil, discrete, input or holding, as the other metrics have")
		return
	case len(names) > 1:
		report("", "is both "+names[0]+" and "+names[1]+", want one")
		return
	case at < 0 || at >= addresses:
		report(names[0], fmt.Sprintf("is %d, want 0 to 65535%s", at, manualAddress(at)))
	}
	if m.Path != "" {
		report("path", "is not for a metric with an address")
	}
	if m.Poll != 0 {
		checkPoll(report, m.Poll)
	}
	if m.Coil != nil || m.Discrete != nil {
		m.validateBit(report, names[0])
	} else {
		m.validateField(report, names[0], at)
	}
	m.validateMeaning(report)
}

var spaceNames = [...]string{"coil", "discrete", "input", "holding"}

// manualAddress explains an address as manuals write it, with the kind as its
// first of six digits.
func manualAddress(at int) string {
	kind, rest := at/100000, at%100000
	if kind < 1 || kind > 4 || rest == 0 {
		return ""
	}
	return fmt.Sprintf(": they count from 0, so %d in a manual is %d", at, rest-1)
}

// validateBit is for a metric that is one bit by its address.
func (m *Metric) validateBit(report func(field, problem string), space string) {
	if m.Type != "" && m.Type != "bool" {
		report("type", fmt.Sprintf("is %q, but a %s is a bool: leave it out", m.Type, space))
	}
	for _, of := range []struct {
		field string
		set   bool
	}{{"order", m.Order != ""}, {"bits", m.Bits != ""}, {"length", m.Length != 0}, {"missing", len(m.Missing) > 0}} {
		if of.set {
			report(of.field, "is for registers, but a "+space+" is one bit")
		}
	}
}

// validateField is for a metric in registers from one on.
func (m *Metric) validateField(report func(field, problem string), space string, at int) {
	sound := true
	f := m.Field()
	f.Validate(func(field, problem string) {
		sound = false
		report(field, problem)
	})
	if size, fixed := f.Size(); sound && fixed && at < addresses && at+(size+1)/2 > addresses {
		report(space, fmt.Sprintf("is %d, but %d bytes from there end behind register 65535", at, size))
	}
}

// validateMeaning reports what is wrong with what a value means.
func (m *Metric) validateMeaning(report func(field, problem string)) {
	kind := *m
	switch {
	case m.Coil != nil || m.Discrete != nil:
		kind.Type = "bool"
	case m.Type == "bytes":
		kind.Type = "string" // neither is a number
	}
	kind.validateMetric(report)
}

func (r *Reads) validate(report func(field, problem string)) {
	if r.MaxRegisters < 0 || r.MaxRegisters > 125 {
		report("reads.max_registers", fmt.Sprintf("is %d, want 1 to 125", r.MaxRegisters))
	}
	if r.MaxGap != nil && (*r.MaxGap < 0 || *r.MaxGap > 124) {
		report("reads.max_gap", fmt.Sprintf("is %d, want 0 to 124 registers", *r.MaxGap))
	}
	for i, list := range [][]string{r.Forbidden.Coil, r.Forbidden.Discrete, r.Forbidden.Input, r.Forbidden.Holding} {
		for _, text := range list {
			if _, _, err := ParseRange(text); err != nil {
				report("reads.forbidden."+spaceNames[i], err.Error())
			}
		}
	}
}

// ParseRange reads an address such as 100 or a range such as 100-199, and
// returns its first and last one. The error reads on after the name of what
// holds the text.
func ParseRange(text string) (first, last uint16, err error) {
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	a, errA := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	switch {
	case errA != nil || errB != nil:
		return 0, 0, fmt.Errorf("is %q, want an address such as 100 or a range such as 100-199", text)
	case a > b:
		return 0, 0, fmt.Errorf("is %q, want %d-%d", text, b, a)
	}
	return uint16(a), uint16(b), nil
}
