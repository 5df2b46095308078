package payload

import "time"

// Register says where a Modbus device holds a metric: at most one of the four
// addresses is set. They count from 0, as in the protocol; 40001 in a manual is
// holding 0, 30001 is input 0.
type Register struct {
	Coil     *int          `yaml:"coil"`
	Discrete *int          `yaml:"discrete"` // a discrete input
	Input    *int          `yaml:"input"`    // an input register
	Holding  *int          `yaml:"holding"`  // a holding register
	Order    string        `yaml:"order"`    // of bytes and words: big (default), little, CDAB or BADC
	Bits     string        `yaml:"bits"`     // of an integer, such as 4-7; bit 0 is the least
	Length   int           `yaml:"length"`   // bytes of a string, bcd or bytes
	Missing  []string      `yaml:"missing"`  // codes that mean "not available", such as 0x7FFF
	Poll     time.Duration `yaml:"poll"`     // default: the profile's
}

// IsSet reports whether the metric stands in a Modbus device.
func (r Register) IsSet() bool {
	return r.Coil != nil || r.Discrete != nil || r.Input != nil || r.Holding != nil
}
