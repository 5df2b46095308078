// Package ruuvi reads what RuuviTag and Ruuvi Air sensors send: the data formats
// 3, 5, 6, C5 and E1, bare or inside a Bluetooth advertisement, and the JSON in
// which a Ruuvi Gateway passes advertisements on by MQTT.
package ruuvi

import (
	"encoding/hex"

	"sluice/protocol"
)

// maxMessage is how long a message may be in bytes; a longer one is refused with
// the reason "size".
const maxMessage = 4096

// Decoder reads messages of Ruuvi sensors. It is owned by one goroutine.
type Decoder struct {
	devices map[address]*protocol.Device
	buf     []byte // an advertisement that came in hexadecimal digits
}

// address is a MAC address, or its last three bytes in data format 6.
type address struct {
	bytes [6]byte
	size  int
}

// maxDevices is how many devices are remembered. More make it start over.
const maxDevices = 4096

// New returns a decoder.
func New() *Decoder { return &Decoder{devices: map[address]*protocol.Device{}} }

// Decode appends the one reading of message to b. On error b is as it was before
// and the error is a *protocol.Refusal.
//
// The metrics have the units of Ruuvi's documents: temperature in °C, humidity in
// %, pressure in Pa, acceleration_x, _y and _z in g, battery_voltage in V,
// tx_power in dBm, pm1, pm2_5, pm4 and pm10 in µg/m³, co2 in ppm, luminosity in
// lx, and voc_index, nox_index, movement_counter, measurement_sequence and
// calibrating without one. A value that the sensor says is not available is left
// out. Where the message holds the sensor's address, it is the device's tag
// "mac". A gateway adds rssi in dBm and the time at which it heard the sensor.
func (d *Decoder) Decode(b *protocol.Batch, message []byte) error {
	if len(message) > maxMessage {
		return protocol.Refuse("size", "%d bytes, want at most %d", len(message), maxMessage)
	}
	if len(message) == 0 {
		return protocol.Refuse("empty", "the message is empty")
	}
	r := b.Add()
	err := d.read(r, message)
	if err == nil && len(r.Metrics) == 0 {
		err = protocol.Refuse("missing", "the sensor has no value available")
	}
	if err != nil {
		b.Readings = b.Readings[:len(b.Readings)-1]
		return err
	}
	return nil
}

func (d *Decoder) read(r *protocol.Reading, message []byte) *protocol.Refusal {
	if message[0] != '{' {
		return d.advertisement(r, message)
	}
	e, err := readEnvelope(message)
	if err != nil {
		return err
	}
	if d.buf, err = appendHex(d.buf[:0], e.data); err != nil {
		return err
	}
	if err := d.advertisement(r, d.buf); err != nil {
		return err
	}
	r.SourceTime = e.time
	if e.hasRSSI {
		r.Metrics = append(r.Metrics, protocol.Metric{Name: "rssi", Value: protocol.Int(e.rssi), Unit: "dBm"})
	}
	return nil
}

func appendHex(dst, digits []byte) ([]byte, *protocol.Refusal) {
	dst, err := hex.AppendDecode(dst, digits)
	if err != nil {
		return dst, protocol.Refuse("encoding", "data is not in hexadecimal digits: %w", err)
	}
	return dst, nil
}

// advertisement reads a payload with or without what is around it.
func (d *Decoder) advertisement(r *protocol.Reading, p []byte) *protocol.Refusal {
	p, err := unwrap(p)
	if err != nil {
		return err
	}
	mac, err := readPayload(r, p)
	if err == nil {
		r.Device = d.device(mac)
	}
	return err
}

// device returns the device with an address, nil when the sensor does not tell
// it. What comes in a byte stream may be damaged, so only so many are kept.
func (d *Decoder) device(mac []byte) *protocol.Device {
	key := address{size: len(mac)}
	copy(key.bytes[:], mac)
	if known := d.devices[key]; known != nil || isMissing(mac) {
		return known
	}
	if len(d.devices) == maxDevices {
		clear(d.devices)
	}
	device := &protocol.Device{Tags: []protocol.Tag{{Key: "mac", Value: text(mac)}}}
	d.devices[key] = device
	return device
}

// isMissing reports whether p, an unsigned value or an address, says that it is
// not available: all its bits are set. An empty one is missing too.
func isMissing(p []byte) bool {
	for _, c := range p {
		if c != 0xff {
			return false
		}
	}
	return true
}

// text returns an address as CB:B8:33:4C:88:4F.
func text(mac []byte) string {
	const digits = "0123456789ABCDEF"
	var s []byte
	for i, c := range mac {
		if i > 0 {
			s = append(s, ':')
		}
		s = append(s, digits[c>>4], digits[c&15])
	}
	return string(s)
}
