package protocol_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/protocol"
	fields "sluice/protocol/binary"
	"sluice/protocol/payload/binary"
)

// binaryConfigs are what the configurations of Telegraf mean here, by the line
// that lists the fields.
var binaryConfigs = map[string]binary.Config{
	`entries = [{ name = "value", type = "float32" }]`: {Length: 4, Fields: map[string]fields.Field{"value": {Type: "float32"}}},
}

// judgeBinary holds one message after the other against a point each.
func judgeBinary(c corpusCase) error {
	var want struct {
		Points []struct {
			Fields []struct {
				Name, Type string
				Value      float64
			}
		}
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil || len(want.Points) != len(c.Inputs) {
		return fmt.Errorf("%d points for %d messages, %v", len(want.Points), len(c.Inputs), err)
	}
	conf, err := os.ReadFile(filepath.Join(c.Dir, "telegraf.conf"))
	if err != nil {
		return err
	}
	for line, config := range binaryConfigs {
		if !bytes.Contains(conf, []byte(line)) {
			continue
		}
		for i, in := range c.Inputs {
			message, err := base64.StdEncoding.DecodeString(string(in))
			if err != nil {
				return err
			}
			got, err := decodeBinary(config, message)
			if err != nil {
				return err
			}
			f := want.Points[i].Fields
			if len(f) != 1 || len(got) != 1 || got[0].Name != f[0].Name || got[0].Value != protocol.Float(f[0].Value) || f[0].Type != "float" {
				return fmt.Errorf("message %d: got %+v, want %+v", i, got, f)
			}
		}
		return nil
	}
	return fmt.Errorf("no fields are known for %s", conf)
}

func decodeBinary(config binary.Config, message []byte) ([]protocol.Metric, error) {
	d, err := binary.New(config)
	if err != nil {
		return nil, err
	}
	var b protocol.Batch
	if err := d.Decode(&b, message); err != nil {
		return nil, err
	}
	if len(b.Readings) != 1 {
		return nil, fmt.Errorf("%d readings, want 1", len(b.Readings))
	}
	return b.Readings[0].Metrics, nil
}

// pmsNames are PyPMS's names of sensors and of what they measure, and ours. It
// gives counts for 1 cm³, the sensor and we for 0.1 L.
var pmsSensors = map[string]string{
	"PMS3003": "pms3003", "PMS5003T": "pms5003t", "SDS01x": "sds011", "SDS198": "sds198",
	"pmsx003": "pms5003", "sds01x": "sds011", "sps30": "sps30", "mcu680": "mcu680", "mhz19b": "mhz19",
}

var pmsNames = map[string]struct {
	name, unit string
	parts      float64
}{
	"raw01": {"pm1_0_cf1", "µg/m³", 1}, "raw25": {"pm2_5_cf1", "µg/m³", 1}, "raw10": {"pm10_cf1", "µg/m³", 1},
	"pm01": {"pm1_0", "µg/m³", 1}, "pm25": {"pm2_5", "µg/m³", 1}, "pm10": {"pm10", "µg/m³", 1}, "pm100": {"pm100", "µg/m³", 1},
	"n0_3": {"particles_0_3um", "#/dL", 100}, "n0_5": {"particles_0_5um", "#/dL", 100},
	"n1_0": {"particles_1_0um", "#/dL", 100}, "n2_5": {"particles_2_5um", "#/dL", 100},
	"temp": {"temperature", "°C", 1}, "rhum": {"humidity", "%", 1},
}

// judgePMS cuts a capture into its frames, which all have one length, and holds
// each against the peer's values; other cases are frames to refuse.
func judgePMS(c corpusCase) error {
	var config struct{ Sensor string }
	if err := json.Unmarshal(c.Config, &config); err != nil {
		return err
	}
	preset, ok := pmsSensors[config.Sensor]
	if !ok {
		return fmt.Errorf("sensor %q has no preset", config.Sensor)
	}
	if c.Error != nil {
		got, err := decodeBinary(binary.Config{Preset: preset}, c.Inputs[0])
		var refusal *protocol.Refusal
		if !errors.As(err, &refusal) {
			return fmt.Errorf("got %+v, %v, want a refusal", got, err)
		}
		return nil
	}
	var want struct {
		Frames []struct {
			Hex      string
			Readings []pmsReading
		}
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil || len(want.Frames) == 0 {
		return fmt.Errorf("%d frames, %v", len(want.Frames), err)
	}
	rest := c.Inputs[0]
	for i, f := range want.Frames {
		frame, err := hex.DecodeString(f.Hex)
		if err != nil || !bytes.HasPrefix(rest, frame) {
			return fmt.Errorf("frame %d is not in the capture, %v", i, err)
		}
		rest = rest[len(frame):]
		got, err := decodeBinary(binary.Config{Preset: preset}, frame)
		if err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		if err := samePMS(got, f.Readings); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes stand behind the last frame", len(rest))
	}
	return nil
}

type pmsReading struct {
	Name  string
	Value float64
}

// samePMS compares all metrics. The peer leaves the error code out.
func samePMS(got []protocol.Metric, want []pmsReading) error {
	if n := len(got); n > 0 && got[n-1].Name == "error_code" {
		got = got[:n-1]
	}
	if len(got) != len(want) {
		return fmt.Errorf("got %+v, want %+v", got, want)
	}
	for i, w := range want {
		known, ok := pmsNames[w.Name]
		n, isNumber := got[i].Value.Number()
		if !ok || !isNumber || got[i].Name != known.name || got[i].Unit != known.unit || n/known.parts != w.Value {
			return fmt.Errorf("got %+v, want %+v", got[i], w)
		}
	}
	return nil
}
