package mbus

import (
	"encoding/hex"
	"strconv"

	"sluice/protocol"
)

// Meters say the same names and texts again and again. So many are remembered;
// what invents more makes it start over.
const keptTexts = 1024

// texts keeps one string for each name and text and one device for each
// identity, so that finding one again allocates nothing.
type texts struct {
	known   map[string]*word
	devices map[string]*protocol.Device
	turn    uint64 // counts telegrams
	numbers []byte
}

type word struct {
	text string
	turn uint64 // in which it was a name last
	used int    // how often in that turn
}

func newTexts() *texts {
	return &texts{known: map[string]*word{}, devices: map[string]*protocol.Device{}}
}

// next begins a telegram.
func (t *texts) next() {
	t.turn++
	if len(t.known) > keptTexts {
		clear(t.known)
	}
	if len(t.devices) > keptTexts {
		clear(t.devices)
	}
}

func (t *texts) find(p []byte) *word {
	w := t.known[string(p)]
	if w == nil {
		w = &word{text: string(p)}
		t.known[w.text] = w
	}
	return w
}

func (t *texts) text(p []byte) string { return t.find(p).text }

// name returns p as a name, with a number behind it when this telegram has used
// it already.
func (t *texts) name(p []byte) string {
	w := t.find(p)
	if w.turn != t.turn {
		w.turn, w.used = t.turn, 1
		return w.text
	}
	for {
		w.used++
		t.numbers = strconv.AppendInt(append(append(t.numbers[:0], p...), '_'), int64(w.used), 10)
		if n := t.find(t.numbers); n.turn != t.turn {
			n.turn, n.used = t.turn, 1
			return n.text
		}
	}
}

// device returns the device of an identity: id, manufacturer, version and
// medium, low byte first.
func (t *texts) device(identity []byte) *protocol.Device {
	if identity == nil {
		return nil
	}
	d := t.devices[string(identity)]
	if d == nil {
		code := uint16(unsigned(identity[4:6]))
		maker := letters(code)
		if maker == "" {
			maker = strconv.FormatUint(uint64(code), 16)
		}
		d = &protocol.Device{Tags: []protocol.Tag{
			{Key: "id", Value: idOf(identity)},
			{Key: "manufacturer", Value: maker},
			{Key: "medium", Value: mediumOf(media[:], identity[7])},
			{Key: "version", Value: strconv.Itoa(int(identity[6]))},
		}}
		t.devices[string(identity)] = d
	}
	return d
}

// fixedDevice returns the device of an id and a medium of the fixed structure.
func (t *texts) fixedDevice(id []byte, medium byte) *protocol.Device {
	t.numbers = append(append(t.numbers[:0], id...), medium)
	d := t.devices[string(t.numbers)]
	if d == nil {
		d = &protocol.Device{Tags: []protocol.Tag{
			{Key: "id", Value: idOf(id)},
			{Key: "medium", Value: mediumOf(fixedMedia[:], medium)},
		}}
		t.devices[string(t.numbers)] = d
	}
	return d
}

// idOf returns the eight digits of an id, low digits first.
func idOf(p []byte) string {
	return hex.EncodeToString([]byte{p[3], p[2], p[1], p[0]})
}

func mediumOf(table []string, code byte) string {
	if int(code) < len(table) && table[code] != "" {
		return table[code]
	}
	return strconv.Itoa(int(code))
}
