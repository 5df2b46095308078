package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload/dsmr"
)

// dsmrCodes are the codes of names for which the peer states none, or one of a
// later version than the telegram's.
var dsmrCodes = map[string]string{
	"DEVICE_TYPE":               "0-1:24.1.0",
	"EQUIPMENT_IDENTIFIER_GAS":  "0-1:96.1.0",
	"SHORT_POWER_FAILURE_COUNT": "0-0:96.7.21",
	"LONG_POWER_FAILURE_COUNT":  "0-0:96.7.9",
}

// judgeDSMR compares the values of a telegram, or the telegrams of a stream.
func judgeDSMR(c corpusCase) error {
	var b protocol.Batch
	if c.Error != nil {
		return mustRefuse(dsmr.New(dsmr.DefaultConfig()).Decode(&b, c.Inputs[0]))
	}
	var want struct {
		Readings []dsmrReading
		Frames   []string
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	if want.Frames != nil {
		return judgeTelegrams(c, want.Frames)
	}
	if err := dsmr.New(dsmr.DefaultConfig()).Decode(&b, c.Inputs[0]); err != nil {
		return err
	}
	for _, w := range want.Readings {
		if err := w.judge(b.Readings); err != nil {
			return fmt.Errorf("%s %s: %w", w.Name, w.OBIS, err)
		}
	}
	return nil
}

// dsmrReading is a value that the peer states.
type dsmrReading struct {
	Name, Type, Unit, OBIS string
	Value                  any
}

// judge compares a value with what stands in our readings under its code.
func (w dsmrReading) judge(readings []protocol.Reading) error {
	if code := dsmrCodes[w.Name]; code != "" && (w.OBIS == "" || w.OBIS[:1] == "1") {
		w.OBIS = code
	}
	if w.Type == "timestamp" {
		at, err := time.Parse(time.RFC3339, w.Value.(string))
		if err != nil || readings[0].SourceTime != protocol.At(at) {
			return fmt.Errorf("got %v, want %v", readings[0].SourceTime.Time(), w.Value)
		}
		return nil
	}
	var m *protocol.Metric
	for i := range readings {
		if at := metricOf(&readings[i], w.OBIS); at != nil {
			m = at
		}
	}
	wrong := fmt.Errorf("got %v, want %v %s", m, w.Value, w.Unit)
	if (m == nil) != (w.Value == nil) {
		return wrong
	}
	if m == nil {
		return nil
	}
	if m.Unit != strings.Replace(w.Unit, "m3", "m³", 1) {
		return wrong
	}
	text := fmt.Sprint(w.Value)
	if m.Value.Kind() == protocol.KindString {
		// The peer leaves octet strings in hexadecimal digits.
		if got := m.Value.Text(); got != text && strings.ToUpper(hex.EncodeToString([]byte(got))) != text {
			return wrong
		}
		return nil
	}
	number, err := strconv.ParseFloat(text, 64)
	if got, ok := m.Value.Number(); err != nil || !ok || math.Abs(got-number) > 0 {
		return wrong
	}
	return nil
}

// judgeTelegrams cuts a stream. Its telegrams are those of other cases, byte for
// byte but for the last line end.
func judgeTelegrams(c corpusCase, names []string) error {
	reader, err := frame.New(frame.Config{DSMR: &frame.DSMR{Max: 4096}})
	if err != nil {
		return err
	}
	var telegrams [][]byte
	for i := range c.Inputs[0] {
		reader.Feed(c.Inputs[0][i : i+1])
		for t, ok := reader.Next(); ok; t, ok = reader.Next() {
			telegrams = append(telegrams, bytes.Clone(t))
		}
	}
	if len(telegrams) != len(names) {
		return fmt.Errorf("%d telegrams, want %d", len(telegrams), len(names))
	}
	for i, telegram := range telegrams {
		file := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(names[i], "TELEGRAM_"), "_", "-")) + ".input.txt"
		want, err := os.ReadFile(filepath.Join(c.Dir, file))
		if err != nil {
			return err
		}
		if !bytes.Equal(telegram, bytes.TrimRight(want, "\r\n")) {
			return fmt.Errorf("telegram %d is not %s: %q", i, names[i], telegram)
		}
		if err := dsmr.New(dsmr.DefaultConfig()).Decode(&protocol.Batch{}, telegram); err != nil {
			return err
		}
	}
	return nil
}
