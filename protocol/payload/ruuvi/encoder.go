package ruuvi

import "math"

// Tag is what a RuuviTag measures. NaN stands for a value that is not available.
type Tag struct {
	Temperature   float64    // °C
	Humidity      float64    // %
	Pressure      float64    // Pa
	Acceleration  [3]float64 // x, y and z in g
	Battery       float64    // V
	TxPower       float64    // dBm
	MovementCount float64    // 0 to 254
	Sequence      float64    // 0 to 65534
	MAC           [6]byte    // all bits set: not available
}

// AppendFormat5 appends the payload of data format 5 to dst, 24 bytes. A value
// that the format cannot hold becomes the nearest one that it can.
func AppendFormat5(dst []byte, t Tag) []byte {
	dst = append(dst, 0x05)
	dst = appendSigned(dst, t.Temperature*200)
	dst = append16(dst, clip(t.Humidity*400, 1<<16))
	dst = append16(dst, clip(t.Pressure-50000, 1<<16))
	for _, a := range t.Acceleration {
		dst = appendSigned(dst, a*1000)
	}
	dst = append16(dst, clip(t.Battery*1000-1600, 1<<11)<<5|clip((t.TxPower+40)/2, 1<<5))
	dst = append(dst, byte(clip(t.MovementCount, 1<<8)))
	dst = append16(dst, clip(t.Sequence, 1<<16))
	return append(dst, t.MAC[:]...)
}

// AppendAdvertisement appends the advertisement in which a sensor sends payload,
// which is at most 252 bytes long: flags and manufacturer data.
func AppendAdvertisement(dst, payload []byte) []byte {
	dst = append(dst, 2, 1, 6, byte(1+len(company)+len(payload)), manufacturer)
	return append(append(dst, company...), payload...)
}

func append16(dst []byte, n uint16) []byte { return append(dst, byte(n>>8), byte(n)) }

func appendSigned(dst []byte, v float64) []byte {
	if math.IsNaN(v) {
		return append16(dst, 1<<15)
	}
	return append16(dst, uint16(int16(math.Round(min(max(v, -math.MaxInt16), math.MaxInt16)))))
}

// clip returns v as a number below codes-1, which says that it is not available.
func clip(v float64, codes int) uint16 {
	if math.IsNaN(v) {
		return uint16(codes - 1)
	}
	return uint16(math.Round(min(max(v, 0), float64(codes-2))))
}
