package port

import (
	"fmt"
	"time"
)

// Options is how a port is used beside its line settings. A driver's
// configuration embeds it.
type Options struct {
	RS485      RS485  `yaml:"rs485"`
	Echo       bool   `yaml:"echo"`        // what is sent comes back first: compare and discard it
	DTR        string `yaml:"dtr"`         // keep (default: as the kernel sets it, which is on), on or off, once the port is open
	RTS        string `yaml:"rts"`         // the same
	LowLatency bool   `yaml:"low_latency"` // default true: adapters hand bytes over at once where they can be told to
	Trace      string `yaml:"trace"`       // file that records the traffic with the time; at 8 MiB it is moved to FILE.1
}

// RS485 is how a half-duplex line is turned round. The delays are those of the
// transceiver, 0 to 100ms.
type RS485 struct {
	// none: the adapter does it alone; kernel: the port's driver does it; rts:
	// this program moves RTS around every write, some milliseconds late on a
	// busy machine; auto: the first of kernel, rts and none that the port can do
	Mode        string        `yaml:"mode"`
	DelayBefore time.Duration `yaml:"delay_before"` // from turning the line to the first bit
	DelayAfter  time.Duration `yaml:"delay_after"`  // from the last bit to turning it back
	RxDuringTx  bool          `yaml:"rx_during_tx"` // kernel: listen while sending; goes with echo
	Invert      bool          `yaml:"invert"`       // RTS is off, not on, while sending
}

// mostDelay is the longest that the kernel takes.
const mostDelay = 100 * time.Millisecond

// DefaultOptions returns the values that hold where the file is silent.
func DefaultOptions() Options {
	return Options{RS485: RS485{Mode: "none"}, DTR: "keep", RTS: "keep", LowLatency: true}
}

// Validate reports what is wrong with o: the field's path in the file and the
// problem. It opens nothing.
func (o *Options) Validate(report func(field, problem string)) {
	o.RS485.validate(func(field, problem string) { report("rs485."+field, problem) })
	for _, pin := range []struct{ field, state string }{{"dtr", o.DTR}, {"rts", o.RTS}} {
		if pin.state != "" && pin.state != "keep" && pin.state != "on" && pin.state != "off" {
			report(pin.field, fmt.Sprintf("is %q, want keep, on or off", pin.state))
		}
	}
	if o.RS485.turns() && (o.RTS == "on" || o.RTS == "off") {
		report("rts", fmt.Sprintf("is of no use with rs485.mode %s, which moves RTS itself", o.RS485.Mode))
	}
}

func (r *RS485) validate(report func(field, problem string)) {
	known := r.Mode == "kernel" || r.Mode == "rts" || r.Mode == "auto"
	switch {
	case !known && r.Mode != "" && r.Mode != "none":
		report("mode", fmt.Sprintf("is %q, want none, kernel, rts or auto", r.Mode))
	case !known && *r != (RS485{Mode: r.Mode}):
		report("mode", "is required where other settings of rs485 are made: kernel, rts or auto")
	}
	for _, delay := range []struct {
		field string
		of    time.Duration
	}{{"delay_before", r.DelayBefore}, {"delay_after", r.DelayAfter}} {
		switch {
		case delay.of < 0 || delay.of > mostDelay:
			report(delay.field, fmt.Sprintf("is %v, want 0s to %v", delay.of, mostDelay))
		case (r.Mode == "kernel" || r.Mode == "auto") && delay.of%time.Millisecond != 0:
			report(delay.field, fmt.Sprintf("is %v, but the kernel counts whole milliseconds", delay.of))
		}
	}
	if r.RxDuringTx && r.Mode == "rts" {
		report("rx_during_tx", "is of use with mode kernel alone: RTS does not move the receiver")
	}
}

// turns reports whether somebody on this side of the adapter turns the line
// round.
func (r *RS485) turns() bool { return r.Mode != "" && r.Mode != "none" }
