package sml

import (
	"encoding/hex"
	"strconv"

	"sluice/protocol"
)

// Meters say the same names, texts and server ids again and again. So many are
// remembered, and texts up to so many bytes; what invents more makes it start
// over.
const (
	keptTexts = 1024
	keptBytes = 256
)

// texts keeps one string for each name and text and one device for each server
// id, so that finding one again allocates nothing.
type texts struct {
	known   map[string]string // a name or a text by what it is of
	devices map[string]*protocol.Device
	key     []byte
}

func newTexts() *texts {
	return &texts{known: map[string]string{}, devices: map[string]*protocol.Device{}}
}

// next begins a file.
func (t *texts) next() {
	if len(t.known) > keptTexts {
		clear(t.known)
	}
	if len(t.devices) > keptTexts {
		clear(t.devices)
	}
}

// name returns the metric's name for an object's name, or for its status.
func (t *texts) name(object []byte, status bool) string {
	sort := byte('n')
	if status {
		sort = 's'
	}
	return t.find(sort, object, func() string {
		name := obis(object)
		if status {
			name += "_status"
		}
		return name
	})
}

// octets returns octets as text or hexadecimal digits.
func (t *texts) octets(p []byte) string {
	return t.find('o', p, func() string {
		if printable(p) {
			return string(p)
		}
		return hex.EncodeToString(p)
	})
}

func (t *texts) find(sort byte, of []byte, text func() string) string {
	if len(of) > keptBytes {
		return text()
	}
	t.key = append(append(t.key[:0], sort), of...)
	found, ok := t.known[string(t.key)]
	if !ok {
		found = text()
		t.known[string(t.key)] = found
	}
	return found
}

// device returns the device of a server id, nil when there is none.
func (t *texts) device(server []byte) *protocol.Device {
	if len(server) == 0 {
		return nil
	}
	d := t.devices[string(server)]
	if d == nil {
		d = &protocol.Device{}
		if len(server) == 10 && printable(server[2:5]) {
			d.Tags = append(d.Tags, protocol.Tag{Key: "manufacturer", Value: string(server[2:5])})
		}
		d.Tags = append(d.Tags, protocol.Tag{Key: "server_id", Value: hex.EncodeToString(server)})
		if len(server) <= keptBytes {
			t.devices[string(server)] = d
		}
	}
	return d
}

func printable(p []byte) bool {
	for _, c := range p {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// obis returns a name of six bytes as A-B:C.D.E*F, without *F when that is 255,
// and others in hexadecimal digits.
func obis(p []byte) string {
	if len(p) != 6 {
		return hex.EncodeToString(p)
	}
	text := make([]byte, 0, 24)
	for i, c := range p[:5] {
		text = strconv.AppendUint(text, uint64(c), 10)
		text = append(text, "-:..*"[i])
	}
	if p[5] == 255 {
		return string(text[:len(text)-1])
	}
	return string(strconv.AppendUint(text, uint64(p[5]), 10))
}
