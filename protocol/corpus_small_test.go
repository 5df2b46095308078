package protocol_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload/cayennelpp"
	"sluice/protocol/payload/ruuvi"
)

// judgeRuuvi maps the names of Ruuvi's own tests to ours.
func judgeRuuvi(c corpusCase) error {
	var want struct {
		Temperature  json.Number   `json:"temperature_c"`
		Humidity     json.Number   `json:"humidity_rh"`
		Pressure     json.Number   `json:"pressure_pa"`
		Acceleration []json.Number `json:"acceleration_g"`
		Battery      json.Number   `json:"battery_v"`
		TxPower      json.Number   `json:"tx_power_dbm"`
		Movement     json.Number   `json:"movement_count"`
		Sequence     json.Number   `json:"measurement_count"`
		Address      string
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	numbers := map[string]json.Number{
		"temperature °C": want.Temperature, "humidity %": want.Humidity, "pressure Pa": want.Pressure, "battery_voltage V": want.Battery,
		"tx_power dBm": want.TxPower, "movement_counter ": want.Movement, "measurement_sequence ": want.Sequence,
	}
	for i, axis := range []string{"x", "y", "z"} {
		numbers["acceleration_"+axis+" g"] = want.Acceleration[i]
	}
	maps.DeleteFunc(numbers, func(_ string, n json.Number) bool { return n == "" })
	var b protocol.Batch
	if err := ruuvi.New().Decode(&b, c.Inputs[0]); err != nil {
		return err
	}
	if err := sameNumbers(&b, numbers); err != nil {
		return err
	}
	address := ""
	if d := b.Readings[0].Device; d != nil {
		address = strings.ReplaceAll(d.Tags[0].Value, ":", "")
	}
	if address != want.Address {
		return fmt.Errorf("address %q, want %q", address, want.Address)
	}
	return nil
}

// judgeCayenneLPP takes what a channel's value is from the peer, and of what type
// it is from the payload.
func judgeCayenneLPP(c corpusCase) error {
	var want struct{ Channels map[string]json.RawMessage }
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	names := map[string][]string{
		"uplink-all/1": {"digital_input_1 "}, "uplink-all/2": {"digital_output_2 "}, "uplink-all/3": {"analog_input_3 "}, "uplink-all/4": {"analog_output_4 "},
		"uplink-all/5": {"luminosity_5 lx"}, "uplink-all/6": {"presence_6 "}, "uplink-all/7": {"temperature_7 °C"}, "uplink-all/8": {"humidity_8 %"},
		"uplink-all/9":           {"accelerometer_9_x g", "accelerometer_9_y g", "accelerometer_9_z g"},
		"uplink-all/10":          {"barometer_10 hPa"},
		"uplink-all/11":          {"gyrometer_11_x °/s", "gyrometer_11_y °/s", "gyrometer_11_z °/s"},
		"uplink-all/12":          {"gps_12_latitude °", "gps_12_longitude °", "gps_12_altitude m"},
		"uplink-all/13":          {"gps_13_latitude °", "gps_13_longitude °", "gps_13_altitude m"},
		"negative-coordinates/1": {"gps_1_latitude °", "gps_1_longitude °", "gps_1_altitude m"},
	}
	numbers := map[string]json.Number{}
	for channel, raw := range want.Channels {
		var values []json.Number
		if err := json.Unmarshal(wrap(raw), &values); err != nil {
			return err
		}
		ours := names[strings.TrimPrefix(c.ID, c.Format+"/")+"/"+channel]
		if len(ours) != len(values) {
			return fmt.Errorf("channel %s: %d values, and we have %d names", channel, len(values), len(ours))
		}
		for i, name := range ours {
			numbers[name] = values[i]
		}
	}
	var b protocol.Batch
	if err := cayennelpp.New(cayennelpp.DefaultConfig()).Decode(&b, c.Inputs[0]); err != nil {
		return err
	}
	return sameNumbers(&b, numbers)
}

// sameNumbers compares the one reading of b with numbers by "name unit".
func sameNumbers(b *protocol.Batch, want map[string]json.Number) error {
	if len(b.Readings) != 1 {
		return fmt.Errorf("%d readings, want 1", len(b.Readings))
	}
	got := map[string]float64{}
	for _, m := range b.Readings[0].Metrics {
		n, ok := m.Value.Number()
		if !ok {
			return fmt.Errorf("%s is %v, want a number", m.Name, m.Value)
		}
		got[m.Name+" "+m.Unit] = n
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		n, err := strconv.ParseFloat(string(want[name]), 64)
		if err != nil {
			return err
		}
		if value, ok := got[name]; !ok || value != n {
			return fmt.Errorf("%s is %v, want %v", name, value, n)
		}
	}
	if len(got) != len(want) || len(got) != len(b.Readings[0].Metrics) {
		return fmt.Errorf("%d metrics, want %d", len(b.Readings[0].Metrics), len(want))
	}
	return nil
}
