package config

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"sluice/protocol"
	"sluice/protocol/payload"
	"sluice/protocol/payload/dsmr"
	"sluice/protocol/payload/sparkplug"
	"sluice/protocol/payload/vedirect"
)

// TestBuiltinsDecode plays what each family sends through its profile.
func TestBuiltinsDecode(t *testing.T) {
	tag, _ := hex.DecodeString("0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F")
	edge := sparkplug.NewEdge("plant", "press")
	birth := edge.AppendBirth(nil, "", 1_795_348_800_000_000_000, []sparkplug.Metric{{Name: "Stroke", Type: sparkplug.Int32, Value: protocol.Int(-7)}})
	const set = protocol.Timestamp(1_795_348_860e9) // 2026-11-22T12:01:00Z
	for _, c := range []struct{ name, topic, metric, message, want string }{
		{"zigbee2mqtt", "", "", `{"battery":97,"contact":false,"linkquality":120,"temperature":21.5,"voltage":3005,"update":{"state":"idle"}}`,
			`battery=97% contact=false linkquality=120 temperature=21.5°C voltage=3005 update_state=idle`},
		{"tasmota-sensor", "", "", `{"Time":"2026-11-22T12:00:58","AM2301":{"Temperature":25.7,"Humidity":44.3},"ENERGY":{"Total":3.185,"Power":26,"Voltage":231},"TempUnit":"C"}`,
			`@1795348858 ENERGY_Power=26W ENERGY_Total=3.185kWh ENERGY_Voltage=231V AM2301_Humidity=44.3% AM2301_Temperature=25.7°C TempUnit=C`},
		{"tasmota-sensor", "", "", `{"Time":"2026-11-22T13:00:58","DS18B20":{"Temperature":12.2}}`, `skewed DS18B20_Temperature=12.2°C`},
		{"tasmota-state", "", "", `{"Time":"2026-11-22T12:00:58","UptimeSec":60,"POWER":"ON","Wifi":{"RSSI":86,"Signal":-57}}`,
			`@1795348858 POWER=true UptimeSec=60s Wifi_RSSI=86% Wifi_Signal=-57dBm`},
		{"shelly-gen1", "", "relay/0", "on", "relay/0=true"},
		{"shelly-gen1", "", "relay/0/power", "12.34", "relay/0/power=12.34W"},
		{"shelly-gen1", "", "announce", `{"id":"shelly1"}`, "!kind"},
		{"shelly-rpc", "", "", `{"src":"s","method":"NotifyStatus","params":{"ts":1795348859.5,"switch:0":{"id":0,"apower":12.5,"aenergy":{"total":7.25}},"temperature:0":{"tC":21.5}}}`,
			`@1795348859.5 switch:0_aenergy_total=7.25Wh switch:0_apower=12.5W temperature:0_tC=21.5°C switch:0_id=0`},
		{"shelly-status", "", "", `{"id":0,"output":true,"apower":12.5,"voltage":231.2,"aenergy":{"total":7.25}}`,
			`aenergy_total=7.25Wh apower=12.5W voltage=231.2V id=0 output=true`},
		{"esphome", "", "temperature", "21.5", "temperature=21.5"},
		{"esphome", "", "door", "OFF", "door=false"},
		{"esphome", "", "temperature", "nan", "!missing"},
		{"ttn", "", "", `{"uplink_message":{"f_port":1,"f_cnt":12,"decoded_payload":{"temperature":21.5,"door":{"open":true}},"rx_metadata":[{"rssi":-57,"snr":9.2}],"received_at":"2026-11-22T12:00:59.5Z"}}`,
			`@1795348859.5 f_cnt=12 f_port=1 rssi=-57dBm snr=9.2dB temperature=21.5 door_open=true`},
		{"chirpstack", "", "", `{"time":"2026-11-22T12:00:59+00:00","fCnt":4,"fPort":2,"object":{"humidity":40},"rxInfo":[{"rssi":-36,"snr":10.5}]}`,
			`@1795348859 f_cnt=4 f_port=2 rssi=-36dBm snr=10.5dB humidity=40`},
		{"ruuvi", "", "", string(tag), `temperature=24.3°C humidity=53.49% pressure=1000.44hPa acceleration_x=0.004g acceleration_y=-0.004g acceleration_z=1.036g movement_counter=66 measurement_sequence=205 battery_voltage=2.977V tx_power=4dBm`},
		{"gps", "", "", "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n",
			`latitude=53.361336666666666° longitude=-6.50562° fix=1 satellites=8 hdop=1.03 altitude=61.7m`},
		{"dsmr", "", "", string(dsmr.AppendTelegram(nil, "XXX5METER", "0-0:1.0.0(261122130000W)", "1-0:1.8.1(000123.456*kWh)", "1-0:1.7.0(01.193*kW)", "9-9:9.9.9(7)")),
			`@1795348800 electricity_used_tariff_1=123.456kWh power_used=1.193kW 9-9:9.9.9=7`},
		{"victron", "", "", string(vedirect.AppendBlock(nil, vedirect.Field{Label: "V", Value: "12800"}, vedirect.Field{Label: "I", Value: "-15"}, vedirect.Field{Label: "LOAD", Value: "ON"}, vedirect.Field{Label: "XYZ", Value: "3"})),
			`battery_voltage=12.8V battery_current=-0.015A load_output=true XYZ=3`},
		{"sparkplug", edge.Topic(sparkplug.NodeBirth, ""), "", string(birth), `plant/press @1795348800 Stroke=-7`},
	} {
		b, ok := builtin(builtinPrefix + c.name)
		if !ok {
			t.Errorf("there is no %s", c.name)
			continue
		}
		d, err := payload.New(*b.Profile)
		if err != nil {
			t.Fatal(err)
		}
		var batch protocol.Batch
		m := payload.Message{Payload: []byte(c.message), Device: &protocol.Device{}, Received: set, Topic: c.topic, Metric: c.metric}
		got := ""
		if err := d.Decode(&batch, m); err != nil {
			got = "!" + err.(*protocol.Refusal).Reason
		} else {
			got = terse(&batch.Readings[0])
		}
		if got != c.want || len(batch.Readings) > 1 || len(batch.Flaws) > 0 {
			t.Errorf("%s: %d readings, flaws %v\n got %s\nwant %s", c.name, len(batch.Readings), batch.Flaws, got, c.want)
		}
	}
}

// terse writes a reading on one line.
func terse(r *protocol.Reading) string {
	var words []string
	if r.Device.Name != "" {
		words = append(words, r.Device.Name)
	}
	if r.SourceTime != 0 {
		words = append(words, strings.TrimSuffix(fmt.Sprintf("@%.1f", float64(r.SourceTime)/1e9), ".0"))
	}
	if r.Skewed {
		words = append(words, "skewed")
	}
	for _, m := range r.Metrics {
		words = append(words, m.Name+"="+m.Value.String()+m.Unit)
	}
	return strings.Join(words, " ")
}
