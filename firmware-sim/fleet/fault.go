package fleet

import (
	"fmt"
	"strings"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/bus"
)

// Fault is something that goes wrong on a bus for a time.
type Fault struct {
	Kind   string        // one of FaultKinds
	Target string        // a device on a bus, or a driver for all that is on its bus
	Start  time.Duration // from the beginning of the play
	Length time.Duration // 0: to its end
}

// unplug takes a port away; it comes back as another terminal behind the same
// link.
const unplug = "unplug"

// kind is a fault as operators name it.
type kind struct {
	name   string
	fault  bus.Fault // of all but unplug
	whole  bool      // it strikes all that is on the bus
	line   bool      // it takes a line, which Modbus TCP has not
	frame  bool      // it takes Modbus
	spills bool      // on a line it may run into what others say
}

func kinds() []kind {
	return []kind{
		{name: "silent", fault: bus.Silent},
		{name: "late", fault: bus.Late, spills: true},
		{name: "wrong_unit", fault: bus.WrongUnit, frame: true},
		{name: "bad_crc", fault: bus.BadCRC},
		{name: "truncated", fault: bus.Truncated},
		{name: "noise_before", fault: bus.NoiseBefore, line: true},
		{name: "noise_after", fault: bus.NoiseAfter, line: true, spills: true},
		{name: "noise_between", fault: bus.NoiseBetween, line: true, spills: true},
		{name: "pause", fault: bus.Pause, spills: true},
		{name: "echo", fault: bus.Echo, line: true},
		{name: "exception", fault: bus.Refused, frame: true},
		{name: "babble", fault: bus.Babble, line: true, whole: true},
		{name: unplug, whole: true},
	}
}

func kindOf(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// FaultKinds returns the names of the faults.
func FaultKinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// ParseFault reads a fault as it is written on a command line,
// KIND:TARGET[@START][+LENGTH], such as silent:meter-3@30s+60s. A name with @ or
// + in it wants both behind it.
func ParseFault(text string) (Fault, error) {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return Fault{}, fmt.Errorf("%q names nobody, want KIND:DEVICE or KIND:DRIVER, such as silent:meter-3@30s+60s", text)
	}
	if _, known := kindOf(name); !known {
		return Fault{}, fmt.Errorf("%q is no fault%s, want one of %s", name, config.Suggest(name, FaultKinds()), strings.Join(FaultKinds(), ", "))
	}
	f := Fault{Kind: name, Target: rest}
	var err error
	if f.Target, f.Length, err = cutTime(f.Target, "+"); err == nil {
		f.Target, f.Start, err = cutTime(f.Target, "@")
	}
	if err != nil {
		return Fault{}, fmt.Errorf("%q %w", text, err)
	}
	if f.Target == "" {
		return Fault{}, fmt.Errorf("%q names nobody, want a device or a driver behind the colon", text)
	}
	return f, nil
}

// cutTime cuts the time behind the last sign off text.
func cutTime(text, sign string) (string, time.Duration, error) {
	at := strings.LastIndex(text, sign)
	if at < 0 {
		return text, 0, nil
	}
	d, err := time.ParseDuration(text[at+1:])
	if err != nil || d < 0 {
		return "", 0, fmt.Errorf("has %s%s, want a time such as %s30s", sign, text[at+1:], sign)
	}
	return text[:at], d, nil
}

// String returns the fault as ParseFault reads it.
func (f Fault) String() string {
	s, both := f.Kind+":"+f.Target, strings.ContainsAny(f.Target, "@+")
	if f.Start > 0 || both {
		s += "@" + f.Start.String()
	}
	if f.Length > 0 || both {
		s += "+" + f.Length.String()
	}
	return s
}

// Faults are the faults of a play. They are a flag that may be given several
// times.
type Faults []Fault

// Set adds the fault that text stands for.
func (f *Faults) Set(text string) error {
	one, err := ParseFault(text)
	if err == nil {
		*f = append(*f, one)
	}
	return err
}

// String returns the faults as they were given.
func (f *Faults) String() string {
	texts := make([]string, len(*f))
	for i, one := range *f {
		texts[i] = one.String()
	}
	return strings.Join(texts, " ")
}

// Type returns what the flag's value is called in its usage.
func (f *Faults) Type() string { return "fault" }

// FaultUsage describes the flag of Faults.
const FaultUsage = "let `KIND:DEVICE[@START][+LENGTH]` go wrong, or KIND:DRIVER, such as silent:meter-3@30s+60s; may be given several times"

// FaultHelp explains the faults to people.
const FaultHelp = `Faults strike Modbus devices, and serial devices that are asked:

  silent         no answer                    late           an answer 1 s too late
  wrong_unit     another unit's address       bad_crc        a wrong checksum, or a wrong bit
  truncated      a part of the answer         pause          a silence within the answer
  noise_before   random bytes before it       noise_after    random bytes behind it
  noise_between  random bytes after a while   echo           the adapter hears its own master
  exception      "device busy" instead        babble         somebody talks without end
  unplug         the port is gone, and comes back as another terminal

They begin at @START of the play and end after +LENGTH, or with the play.`
