package wire

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/ruuvi"
)

// ruuviFields are what a tag sends in data format 5, in the order of its encoder.
var ruuviFields = []field{
	{name: "temperature", unit: "°C", low: 5, high: 35, step: 0.1, decimals: 2},
	{name: "humidity", unit: "%", low: 20, high: 90, step: 0.3, decimals: 2},
	{name: "pressure", unit: "Pa", low: 97000, high: 104000, step: 25, whole: true},
	{name: "acceleration_x", unit: "g", low: -2, high: 2, step: 0.02, decimals: 3},
	{name: "acceleration_y", unit: "g", low: -2, high: 2, step: 0.02, decimals: 3},
	{name: "acceleration_z", unit: "g", low: -2, high: 2, step: 0.02, decimals: 3},
	{name: "battery_voltage", unit: "V", low: 2.4, high: 3.1, step: 0.002, decimals: 3},
	{name: "tx_power", unit: "dBm", low: 4, high: 4, whole: true},
	{name: "movement_counter", high: 254, step: 1, whole: true, counter: true},
	{name: "measurement_sequence", high: 65534, step: 1, whole: true, counter: true},
}

// ruuvi gives f the slots and the layout of a tag's payload, which tells the
// address of the tag.
func (f *Form) ruuvi(p *payload.Profile, only string) error {
	f.tags = func(device string) []protocol.Tag {
		m := address(device)
		return []protocol.Tag{{Key: "mac", Value: fmt.Sprintf("%02X:%02X:%02X:%02X:%02X:%02X", m[0], m[1], m[2], m[3], m[4], m[5])}}
	}
	f.layout = ruuviLayout{}
	return f.fields(p, ruuviFields, only)
}

// address returns a random static address of Bluetooth for a device.
func address(device string) (mac [6]byte) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(device))
	sum := h.Sum64()
	for i := range mac {
		mac[i] = byte(sum >> (8 * i))
	}
	mac[0] |= 0xc0
	mac[5] &= 0x7f // not all bits set, which says that there is none
	return mac
}

type ruuviLayout struct{}

func (ruuviLayout) compose(dst []byte, m *message) ([]byte, bool) {
	v := make([]float64, len(m.texts))
	for i, text := range m.texts {
		v[i], _ = strconv.ParseFloat(text, 64) // digits and a point
	}
	return ruuvi.AppendFormat5(dst, ruuvi.Tag{
		Temperature: v[0], Humidity: v[1], Pressure: v[2], Acceleration: [3]float64{v[3], v[4], v[5]},
		Battery: v[6], TxPower: v[7], MovementCount: v[8], Sequence: v[9], MAC: address(m.device),
	}), true
}
