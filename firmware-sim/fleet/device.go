package fleet

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	"sluice/firmware-sim/wire"
	"sluice/protocol"
)

// window is how many samples of a device in a row never have the same values.
const window = 256

// Device is one simulated device. It is used by one goroutine.
type Device struct {
	protocol.Device
	voices  []voice
	turn    int
	rand    *rand.Rand
	last    protocol.Timestamp
	recent  []uint32 // hashes of the latest values, a ring
	at      int
	byCount bool
}

// voice is one kind of message of a device, with the values it last had.
type voice struct {
	topic  string
	metric string // that the topic names, "" for none
	form   *wire.Form
	ticks  []int64
}

// Sample is one message of a device.
type Sample struct {
	Topic string // "" on a line
	wire.Sample
}

// newDevice returns a device with the tags that its row and its own messages
// give it; the latter go before.
func newDevice(d protocol.Device, voices []voice, seed uint64) *Device {
	d.Tags = sorted(append(voices[0].form.Tags(d.Name), d.Tags...))
	name := fnv.New64a()
	_, _ = name.Write([]byte(d.Name))
	dev := &Device{Device: d, voices: voices, rand: rand.New(rand.NewPCG(seed, name.Sum64()))}
	ring := window
	for i := range voices {
		space := voices[i].form.Space()
		dev.byCount = dev.byCount || space < 4*window && !voices[i].form.Timed()
		if space < 4*window {
			ring = 1
		}
		voices[i].ticks = begin(voices[i].form, dev.rand)
	}
	dev.recent = make([]uint32, ring)
	return dev
}

// ByCount reports whether the device has too few different values to tell its
// readings apart.
func (d *Device) ByCount() bool { return d.byCount }

// Due reports whether the device may send at now; one whose clock shows no more
// than seconds has to wait when it would run too far ahead.
func (d *Device) Due(now protocol.Timestamp) bool {
	return d.voices[d.turn%len(d.voices)].form.Due(now, d.last)
}

// Next returns the device's next message, sampled at now. The sequence of
// values depends on the seed and the device's name alone.
func (d *Device) Next(now protocol.Timestamp) Sample {
	v := &d.voices[d.turn%len(d.voices)]
	d.turn++
	for attempt := 0; ; attempt++ {
		ticks := wander(v.form, v.ticks, d.rand, attempt)
		s, ok := v.form.Encode(wire.Input{Ticks: ticks, At: now, Last: d.last, Device: d.Name, Rand: d.rand})
		if !ok && attempt > patience {
			now += protocol.Timestamp(time.Millisecond) // perhaps it is the time that cannot be shown
		}
		if !ok || attempt < patience && !d.fresh(s.Metrics) {
			continue
		}
		d.remember(s.Metrics)
		v.ticks = ticks
		if s.Time != 0 {
			d.last = s.Time
		}
		return Sample{Topic: v.topic, Sample: s}
	}
}

// fresh reports whether none of the latest samples had these values.
func (d *Device) fresh(metrics []protocol.Metric) bool {
	hash := hashOf(metrics)
	for _, h := range d.recent {
		if h == hash {
			return false
		}
	}
	return true
}

func (d *Device) remember(metrics []protocol.Metric) {
	d.recent[d.at%len(d.recent)] = hashOf(metrics)
	d.at++
}

// hashOf is never 0, which stands for no sample.
func hashOf(metrics []protocol.Metric) uint32 {
	h := fnv.New32a()
	for i := range metrics {
		_, _ = h.Write([]byte(metrics[i].Name))
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(metrics[i].Value.String()))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum32() | 1
}
