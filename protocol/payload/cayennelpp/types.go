package cayennelpp

// Type is a data type: an IPSO object less 3200. The numbers are part of the
// format.
type Type byte

// The types of the original format, and those that the libraries of the devices
// added to it.
const (
	DigitalInput  Type = 0
	DigitalOutput Type = 1
	AnalogInput   Type = 2
	AnalogOutput  Type = 3
	Generic       Type = 100
	Luminosity    Type = 101
	Presence      Type = 102
	Temperature   Type = 103
	Humidity      Type = 104
	Accelerometer Type = 113
	Barometer     Type = 115
	Voltage       Type = 116
	Current       Type = 117
	Frequency     Type = 118
	Percentage    Type = 120
	Altitude      Type = 121
	Concentration Type = 125
	Power         Type = 128
	Distance      Type = 130
	Energy        Type = 131
	Direction     Type = 132
	UnixTime      Type = 133
	Gyrometer     Type = 134
	Colour        Type = 135
	GPS           Type = 136
	Switch        Type = 142
)

// kind is how a type's values are sent: one or several numbers of the same size,
// the most significant byte first, each sent · factor · 10^exp.
type kind struct {
	name   string
	size   int // of a number, in bytes
	signed bool
	values []value
}

type value struct {
	name, unit  string // the name is "" when there is only one
	factor, exp int
}

func one(name, unit string, size int, signed bool, factor, exp int) kind {
	return kind{name, size, signed, []value{{"", unit, factor, exp}}}
}

func three(name, unit string, exp int) kind {
	return kind{name, 2, true, []value{{"x", unit, 1, exp}, {"y", unit, 1, exp}, {"z", unit, 1, exp}}}
}

// kinds holds what is known of each type.
var kinds = map[Type]kind{
	DigitalInput:  one("digital_input", "", 1, false, 1, 0),
	DigitalOutput: one("digital_output", "", 1, false, 1, 0),
	AnalogInput:   one("analog_input", "", 2, true, 1, -2),
	AnalogOutput:  one("analog_output", "", 2, true, 1, -2),
	Generic:       one("generic", "", 4, false, 1, 0),
	Luminosity:    one("luminosity", "lx", 2, false, 1, 0),
	Presence:      one("presence", "", 1, false, 1, 0),
	Temperature:   one("temperature", "°C", 2, true, 1, -1),
	Humidity:      one("humidity", "%", 1, false, 5, -1),
	Accelerometer: three("accelerometer", "g", -3),
	Barometer:     one("barometer", "hPa", 2, false, 1, -1),
	Voltage:       one("voltage", "V", 2, false, 1, -2),
	Current:       one("current", "A", 2, false, 1, -3),
	Frequency:     one("frequency", "Hz", 4, false, 1, 0),
	Percentage:    one("percentage", "%", 1, false, 1, 0),
	Altitude:      one("altitude", "m", 2, true, 1, 0),
	Concentration: one("concentration", "ppm", 2, false, 1, 0),
	Power:         one("power", "W", 2, false, 1, 0),
	Distance:      one("distance", "m", 4, false, 1, -3),
	Energy:        one("energy", "kWh", 4, false, 1, -3),
	Direction:     one("direction", "°", 2, false, 1, 0),
	UnixTime:      one("unixtime", "s", 4, false, 1, 0),
	Gyrometer:     three("gyrometer", "°/s", -2),
	Colour:        {"colour", 1, false, []value{{"red", "", 1, 0}, {"green", "", 1, 0}, {"blue", "", 1, 0}}},
	GPS:           {"gps", 3, true, []value{{"latitude", "°", 1, -4}, {"longitude", "°", 1, -4}, {"altitude", "m", 1, -2}}},
	Switch:        one("switch", "", 1, false, 1, 0),
}
