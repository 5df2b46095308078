package ruuvi

import (
	"math"

	"sluice/protocol"
)

// field is a number of whole bytes: (sent · factor + offset) · 10^exp.
type field struct {
	name, unit     string
	at, size       int
	signed         bool
	factor, offset int64
	exp            int
}

// What stands at the same place in all formats but the oldest.
var climate = []field{
	{"temperature", "°C", 1, 2, true, 5, 0, -3},
	{"humidity", "%", 3, 2, false, 25, 0, -4},
	{"pressure", "Pa", 5, 2, false, 1, 50000, 0},
}

var format5 = []field{
	{"acceleration_x", "g", 7, 2, true, 1, 0, -3},
	{"acceleration_y", "g", 9, 2, true, 1, 0, -3},
	{"acceleration_z", "g", 11, 2, true, 1, 0, -3},
	{"movement_counter", "", 15, 1, false, 1, 0, 0},
	{"measurement_sequence", "", 16, 2, false, 1, 0, 0},
}

var formatC5 = []field{
	{"movement_counter", "", 9, 1, false, 1, 0, 0},
	{"measurement_sequence", "", 10, 2, false, 1, 0, 0},
}

var format6 = []field{
	{"pm2_5", "µg/m³", 7, 2, false, 1, 0, -1},
	{"co2", "ppm", 9, 2, false, 1, 0, 0},
}

var formatE1 = []field{
	{"pm1", "µg/m³", 7, 2, false, 1, 0, -1},
	{"pm2_5", "µg/m³", 9, 2, false, 1, 0, -1},
	{"pm4", "µg/m³", 11, 2, false, 1, 0, -1},
	{"pm10", "µg/m³", 13, 2, false, 1, 0, -1},
	{"co2", "ppm", 15, 2, false, 1, 0, 0},
	{"luminosity", "lx", 19, 3, false, 1, 0, -2},
	{"measurement_sequence", "", 25, 3, false, 1, 0, 0},
}

// sizeOf returns the length in bytes of a payload of a data format, 0 for one
// that holds no reading for us.
func sizeOf(format byte) int {
	switch format {
	case 0x03:
		return 14
	case 0x05:
		return 24
	case 0x06:
		return 20
	case 0xc5:
		return 18
	case 0xe1:
		return 40
	}
	return 0
}

// readPayload adds the metrics of a payload to r and returns the sensor's address
// as it stands there.
func readPayload(r *protocol.Reading, p []byte) (mac []byte, err *protocol.Refusal) {
	switch size := sizeOf(p[0]); {
	case p[0] == 0x08:
		return nil, protocol.Refuse("kind", "data format 8 is encrypted")
	case size == 0:
		return nil, protocol.Refuse("kind", "data format %02X is none of 3, 5, 6, C5 and E1", p[0])
	case size != len(p):
		return nil, protocol.Refuse("syntax", "data format %X has %d bytes, found %d", p[0], size, len(p))
	}
	if p[0] == 0x03 {
		return nil, readFormat3(r, p)
	}
	addFields(r, p, climate)
	switch p[0] {
	case 0x05:
		addFields(r, p, format5)
		addPower(r, p[13:15])
		return p[18:24], nil
	case 0xc5:
		addFields(r, p, formatC5)
		addPower(r, p[7:9])
		return p[12:18], nil
	case 0x06:
		addFields(r, p, format6)
		addAir(r, p[11], p[12], p[16])
		addLuminosity(r, p[13])
		add(r, "measurement_sequence", "", protocol.Int(int64(p[15])))
		return p[17:20], nil
	}
	addFields(r, p, formatE1)
	addAir(r, p[17], p[18], p[28])
	return p[34:40], nil
}

// readFormat3 reads the oldest format, which knows no missing values.
func readFormat3(r *protocol.Reading, p []byte) *protocol.Refusal {
	if p[3] > 99 {
		return protocol.Refuse("syntax", "%d hundredths of a degree, want at most 99", p[3])
	}
	temperature := int64(p[2]&0x7f)*100 + int64(p[3])
	if p[2]&0x80 != 0 {
		temperature = -temperature
	}
	add(r, "temperature", "°C", protocol.Scaled(temperature, -2))
	add(r, "humidity", "%", protocol.Scaled(5*int64(p[1]), -1))
	add(r, "pressure", "Pa", protocol.Int(50000+unsigned(p[4:6])))
	for i, name := range [...]string{"acceleration_x", "acceleration_y", "acceleration_z"} {
		add(r, name, "g", protocol.Scaled(int64(int16(unsigned(p[6+2*i:8+2*i]))), -3))
	}
	add(r, "battery_voltage", "V", protocol.Scaled(unsigned(p[12:14]), -3))
	return nil
}

func add(r *protocol.Reading, name, unit string, v protocol.Value) {
	r.Metrics = append(r.Metrics, protocol.Metric{Name: name, Value: v, Unit: unit})
}

// addFields adds the fields that are available.
func addFields(r *protocol.Reading, p []byte, fields []field) {
	for i := range fields {
		f := &fields[i]
		raw := p[f.at : f.at+f.size]
		n := unsigned(raw)
		if f.signed {
			n = int64(int16(n))
		}
		if f.signed && n == math.MinInt16 || !f.signed && isMissing(raw) {
			continue
		}
		add(r, f.name, f.unit, protocol.Scaled(n*f.factor+f.offset, f.exp))
	}
}

// unsigned reads a number, the most significant byte first.
func unsigned(p []byte) (n int64) {
	for _, c := range p {
		n = n<<8 | int64(c)
	}
	return n
}

// addPower adds the 11 bits of the battery's voltage and the 5 bits of the power
// of transmission.
func addPower(r *protocol.Reading, p []byte) {
	n := unsigned(p)
	if battery := n >> 5; battery != 1<<11-1 {
		add(r, "battery_voltage", "V", protocol.Scaled(1600+battery, -3))
	}
	if tx := n & 31; tx != 31 {
		add(r, "tx_power", "dBm", protocol.Int(-40+2*tx))
	}
}

// addAir adds the indexes of nine bits, the last of which are among the flags,
// and whether the sensor is still calibrating.
func addAir(r *protocol.Reading, voc, nox, flags byte) {
	const missing = 1<<9 - 1
	if n := int64(voc)<<1 | int64(flags>>6&1); n != missing {
		add(r, "voc_index", "", protocol.Int(n))
	}
	if n := int64(nox)<<1 | int64(flags>>7); n != missing {
		add(r, "nox_index", "", protocol.Int(n))
	}
	add(r, "calibrating", "", protocol.Bool(flags&1 != 0))
}

// addLuminosity adds the logarithmic code of format 6, to a hundredth of a lux.
func addLuminosity(r *protocol.Reading, code byte) {
	if code == 0xff {
		return
	}
	lux := math.Expm1(float64(code) * math.Log(65536) / 254)
	add(r, "luminosity", "lx", protocol.Scaled(int64(math.Round(100*lux)), -2))
}
