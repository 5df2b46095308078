package mbus

import "sluice/protocol"

// fixedLength is how many bytes a telegram of the fixed structure has: id,
// access number, status, two units, two counters.
const fixedLength = 16

// The units of a counter that need more than a table.
const (
	sameButHistoric = 0x3e
	historicBit     = 0x02 // of the status: the counters are those of a fixed day
	binaryBit       = 0x01
)

// fixedUnits are the units of a counter; their exponents grow by one.
var fixedUnits = []span{
	{0x02, 0x0a, "energy", "Wh", decimal, 0, 0},
	{0x0b, 0x13, "energy", "J", decimal, 3, 0},
	{0x14, 0x1c, "power", "W", decimal, 0, 0},
	{0x1d, 0x25, "power", "J/h", decimal, 3, 0},
	{0x26, 0x2e, "volume", "m³", decimal, -6, 0},
	{0x2f, 0x37, "volume_flow", "m³/h", decimal, -6, 0},
	{0x38, 0x38, "temperature", "°C", decimal, -3, 0},
	{0x39, 0x39, "hca_units", "", plain, 0, 0},
	{0x3f, 0x3f, "counter", "", plain, 0, 0},
}

// fixed reads a telegram of the fixed structure.
func (t *telegram) fixed(b *protocol.Batch, data []byte) *protocol.Refusal {
	if len(data) != fixedLength {
		return protocol.Refuse("syntax", "%d bytes, want %d of the fixed structure", len(data), fixedLength)
	}
	var id [4]byte
	copy(id[:], t.low(data[:4]))
	status := data[5]
	units := [2]byte{data[6], data[7]}
	if t.bigEndian {
		units[0], units[1] = units[1], units[0]
	}
	r := b.Add()
	r.Device = t.texts.fixedDevice(id[:], units[0]>>6|units[1]>>6<<2)
	t.addStatus(r, status)
	for i, unit := range units {
		t.addCounter(r, status, unit&0x3f, units[0]&0x3f, data[8+4*i:12+4*i])
	}
	return nil
}

// addCounter adds a counter. One of the second unit may count the same as the
// first did on a fixed day.
func (t *telegram) addCounter(r *protocol.Reading, status, unit, first byte, data []byte) {
	historic := status&historicBit != 0
	if unit == sameButHistoric {
		unit, historic = first, true
	}
	q, ok := find(fixedUnits, unit)
	if !ok {
		return // a time, or reserved
	}
	rec := record{quantity: q}
	if historic {
		rec.storage = 1
	}
	t.name = rec.appendPlace(append(t.name[:0], q.name...))
	data = t.low(data)
	n, ok := int64(int32(unsigned(data))), true
	if status&binaryBit == 0 {
		n, ok = digits(data, true)
	}
	t.add(r, rec.number(n, ok), q.unit, fixedQuality(status))
}

// fixedQuality is qualityOf for the fixed structure, whose lowest bits mean
// something else.
func fixedQuality(status byte) protocol.Quality {
	return qualityOf(status &^ (historicBit | binaryBit))
}
