package payload

import (
	"time"

	"sluice/protocol/binary"
)

// Register says where a Modbus device holds a metric: at most one of the four
// addresses is set. They count from 0, as in the protocol; 40001 in a manual is
// holding 0, 30001 is input 0.
type Register struct {
	Coil     *int          `yaml:"coil"`     // its address, from 0
	Discrete *int          `yaml:"discrete"` // a discrete input
	Input    *int          `yaml:"input"`    // an input register
	Holding  *int          `yaml:"holding"`  // a holding register
	Order    string        `yaml:"order"`    // of bytes and words: big (default), little, CDAB or BADC
	Bits     string        `yaml:"bits"`     // of an integer, such as 4-7; bit 0 is the least
	Length   int           `yaml:"length"`   // bytes of a string, bcd or bytes
	Missing  []string      `yaml:"missing"`  // codes that mean "not available", such as 0x7FFF
	Poll     time.Duration `yaml:"poll"`     // default: the profile's
}

// Reads says how a Modbus device wants to be read.
type Reads struct {
	MaxRegisters int       `yaml:"max_registers"` // in one request; 0: what the driver allows
	MaxGap       *int      `yaml:"max_gap"`       // registers that are read needlessly to spare a request; nil: what the driver allows
	Forbidden    Forbidden `yaml:"forbidden"`     // what is never read, not even needlessly
}

// Forbidden is addresses that a device must not be asked for, each one such as
// 100 or a range such as 100-199.
type Forbidden struct {
	Coil     []string `yaml:"coil"`     // addresses and ranges of them, such as 100-199
	Discrete []string `yaml:"discrete"` // the same of discrete inputs
	Input    []string `yaml:"input"`    // the same of input registers
	Holding  []string `yaml:"holding"`  // the same of holding registers
}

// IsSet reports whether the metric stands in a Modbus device.
func (r Register) IsSet() bool {
	return r.Coil != nil || r.Discrete != nil || r.Input != nil || r.Holding != nil
}

// HasRegisters reports whether the profile is one of a Modbus device: a driver
// asks for what its metrics say, and there is no message to decode.
func (p *Profile) HasRegisters() bool {
	for _, m := range p.Metrics {
		if m.IsSet() {
			return true
		}
	}
	for _, c := range p.Commands {
		if c.IsSet() {
			return true
		}
	}
	return false
}

// Field returns how the metric is written in its registers. What a bool covers
// is the whole register where nothing else is said.
func (m *Metric) Field() binary.Field {
	f := binary.Field{Type: m.Type, Length: m.Length, Order: m.Order, Bits: m.Bits, Missing: m.Missing}
	if f.Type == "bool" && f.Length == 0 {
		f.Length = 2
	}
	return f
}
