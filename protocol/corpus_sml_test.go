package protocol_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload/sml"
)

// smlFrames is how many whole frames a capture holds, by case.
var smlFrames = map[string]int{
	"sml/capture-dzg-dvs-7420-2v-g2-mtr0":               1,
	"sml/capture-emh-ehz361l5r-1":                       1,
	"sml/capture-holley-dtz541-bdba-with-pin":           2,
	"sml/capture-holley-dtz541-bdba-without-pin":        1,
	"sml/capture-iskra-mt631-d2a51-v22-k0z-without-pin": 2,
}

// judgeSML cuts a capture into frames, of which no result is stated: all of them
// have to decode, to values that are plausible and come out again after
// encoding.
func judgeSML(c corpusCase) error {
	reader, err := frame.New(frame.Config{SML: &frame.SML{}})
	if err != nil {
		return err
	}
	reader.Feed(c.Inputs[0])
	d, frames, energy := sml.New(), 0, 0.0
	for file, ok := reader.Next(); ok; file, ok = reader.Next() {
		frames++
		var b, framed protocol.Batch
		if err := d.Decode(&b, file); err != nil {
			return fmt.Errorf("frame %d: %w", frames, err)
		}
		if len(b.Readings) != 1 {
			return fmt.Errorf("frame %d: %d readings", frames, len(b.Readings))
		}
		r, again := &b.Readings[0], frame.AppendSML(nil, file)
		if err := d.Decode(&framed, again); err != nil || !sameMetrics(r, &framed.Readings[0]) || !bytes.Contains(c.Inputs[0], again) {
			return fmt.Errorf("frame %d, framed again: %v", frames, err)
		}
		if energy, err = plausible(r, energy); err != nil {
			return fmt.Errorf("frame %d: %w", frames, err)
		}
		if err := smlAgain(d, r); err != nil {
			return fmt.Errorf("frame %d, encoded again: %w", frames, err)
		}
	}
	if want := smlFrames[c.ID]; frames != want || want == 0 {
		return fmt.Errorf("%d frames, want %d", frames, want)
	}
	return nil
}

func sameMetrics(a, b *protocol.Reading) bool {
	return slices.Equal(a.Metrics, b.Metrics) && a.SourceTime == b.SourceTime
}

// plausible checks what a household's meter says, and that its energy has not
// gone down. It returns the energy.
func plausible(r *protocol.Reading, before float64) (float64, error) {
	energy, powers, energies := before, 0, 0
	for _, m := range r.Metrics {
		n, isNumber := m.Value.Number()
		switch {
		case m.Unit == "W":
			if powers++; !isNumber || math.Abs(n) > 30e3 {
				return 0, fmt.Errorf("%s = %v W", m.Name, m.Value)
			}
		case m.Unit == "Wh":
			if energies++; !isNumber || n < 0 || n > 200e6 {
				return 0, fmt.Errorf("%s = %v Wh", m.Name, m.Value)
			}
			if m.Name == "1-0:1.8.0" {
				energy = n
			}
		case m.Unit != "" || isNumber && !strings.HasSuffix(m.Name, "_status"):
			return 0, fmt.Errorf("%s = %v %s", m.Name, m.Value, m.Unit)
		}
	}
	if energies == 0 || energy < before || len(r.Device.Tags) == 0 {
		return 0, fmt.Errorf("energies %d, from %v to %v, tags %v", energies, before, energy, r.Device.Tags)
	}
	return energy, nil
}

// smlAgain encodes a reading and compares what comes out.
func smlAgain(d *sml.Decoder, r *protocol.Reading) error {
	var f sml.File
	for _, tag := range r.Device.Tags {
		if tag.Key == "server_id" {
			f.ServerID, _ = hex.DecodeString(tag.Value)
		}
	}
	for _, m := range r.Metrics {
		if strings.HasSuffix(m.Name, "_status") {
			f.Entries[len(f.Entries)-1].Status = m.Value.Uint()
			continue
		}
		e := sml.Entry{OBIS: obisOf(m.Name), Unit: m.Unit, Value: m.Value}
		if m.Value.Kind() == protocol.KindFloat {
			e.Scaler = -4
		}
		f.Entries = append(f.Entries, e)
	}
	var b protocol.Batch
	if err := d.Decode(&b, sml.AppendFile(nil, f)); err != nil {
		return err
	}
	if b.Readings[0].Device != r.Device || !sameMetrics(r, &b.Readings[0]) {
		return fmt.Errorf("got %v, want %v", b.Readings[0].Metrics, r.Metrics)
	}
	return nil
}

// obisOf reads "1-0:1.8.0*255", or without the last group for 255.
func obisOf(name string) (code [6]byte) {
	groups := strings.FieldsFunc(name, func(c rune) bool { return strings.ContainsRune("-:.*", c) })
	code[5] = 255
	for i, group := range groups {
		n, _ := strconv.Atoi(group)
		code[i] = byte(n)
	}
	return code
}
