package dsmr

import "bytes"

// isLog tells the numbers of lists: failures of power, peaks of the months. The
// first value is how many entries there are.
func isLog(number []byte) bool {
	return string(number) == "99.97.0" || string(number) == "98.1.0"
}

// isCount tells the numbers of values that are counted or number a state:
// failures, voltage sags and swells, positions of switches and valves, types of
// devices, entries of a log.
func isCount(number []byte) bool {
	switch string(number) {
	case "24.1.0", "24.4.0", "96.3.10", "96.4.0", "98.1.0", "99.97.0":
		return true
	}
	return bytes.HasPrefix(number, []byte("96.7.")) || bytes.HasSuffix(number, []byte(".32.0")) || bytes.HasSuffix(number, []byte(".36.0"))
}

// isOctets tells the numbers of identifiers and messages, which are octet
// strings in hexadecimal digits.
func isOctets(number []byte) bool {
	return string(number) == "42.0.0" || bytes.HasPrefix(number, []byte("96.1.")) || bytes.HasPrefix(number, []byte("96.13."))
}

// channels is how many meters may be behind the meter (M-Bus).
const channels = 4

// Word is the name of a code in words.
type Word struct{ Code, Name string }

// Words returns words for the codes that meters send. Meters behind the meter
// have the number of their channel in it: 0-2:24.2.1 is meter_2. Codes that mean
// the same in different countries have the same word.
func Words() []Word {
	list := append([]Word(nil), words[:]...)
	for channel := range byte(channels) {
		digit := string('1' + channel)
		for _, w := range channelWords {
			list = append(list, Word{"0-" + digit + ":" + w.Code, "meter_" + digit + w.Name})
		}
	}
	return list
}

var words = [...]Word{
	{"1-3:0.2.8", "version"},
	{"0-0:96.1.4", "version"},
	{"0-0:96.1.0", "equipment_id"},
	{"0-0:96.1.1", "equipment_id"},
	{"0-0:96.1.2", "connection_id"},
	{"0-0:42.0.0", "device_name"},
	{"1-0:1.8.0", "electricity_used"},
	{"1-0:1.8.1", "electricity_used_tariff_1"},
	{"1-0:1.8.2", "electricity_used_tariff_2"},
	{"1-0:1.8.3", "electricity_used_tariff_3"},
	{"1-0:1.8.4", "electricity_used_tariff_4"},
	{"1-0:2.8.0", "electricity_delivered"},
	{"1-0:2.8.1", "electricity_delivered_tariff_1"},
	{"1-0:2.8.2", "electricity_delivered_tariff_2"},
	{"1-0:2.8.3", "electricity_delivered_tariff_3"},
	{"1-0:2.8.4", "electricity_delivered_tariff_4"},
	{"1-0:3.8.0", "reactive_energy_used"},
	{"1-0:3.8.1", "reactive_energy_used_tariff_1"},
	{"1-0:3.8.2", "reactive_energy_used_tariff_2"},
	{"1-0:4.8.0", "reactive_energy_delivered"},
	{"1-0:4.8.1", "reactive_energy_delivered_tariff_1"},
	{"1-0:4.8.2", "reactive_energy_delivered_tariff_2"},
	{"0-0:96.14.0", "tariff"},
	{"1-0:1.4.0", "power_used_average"},
	{"1-0:1.6.0", "power_used_peak"},
	{"0-0:98.1.0", "power_used_peaks"},
	{"1-0:1.7.0", "power_used"},
	{"1-0:2.7.0", "power_delivered"},
	{"1-0:3.7.0", "reactive_power_used"},
	{"1-0:4.7.0", "reactive_power_delivered"},
	{"1-0:9.7.0", "apparent_power_used"},
	{"1-0:10.7.0", "apparent_power_delivered"},
	{"1-0:13.7.0", "power_factor"},
	{"1-0:14.7.0", "frequency"},
	{"1-0:21.7.0", "power_used_l1"},
	{"1-0:41.7.0", "power_used_l2"},
	{"1-0:61.7.0", "power_used_l3"},
	{"1-0:22.7.0", "power_delivered_l1"},
	{"1-0:42.7.0", "power_delivered_l2"},
	{"1-0:62.7.0", "power_delivered_l3"},
	{"1-0:23.7.0", "reactive_power_used_l1"},
	{"1-0:43.7.0", "reactive_power_used_l2"},
	{"1-0:63.7.0", "reactive_power_used_l3"},
	{"1-0:24.7.0", "reactive_power_delivered_l1"},
	{"1-0:44.7.0", "reactive_power_delivered_l2"},
	{"1-0:64.7.0", "reactive_power_delivered_l3"},
	{"1-0:32.7.0", "voltage_l1"},
	{"1-0:52.7.0", "voltage_l2"},
	{"1-0:72.7.0", "voltage_l3"},
	{"1-0:31.7.0", "current_l1"},
	{"1-0:51.7.0", "current_l2"},
	{"1-0:71.7.0", "current_l3"},
	{"1-0:32.32.0", "voltage_sags_l1"},
	{"1-0:52.32.0", "voltage_sags_l2"},
	{"1-0:72.32.0", "voltage_sags_l3"},
	{"1-0:32.36.0", "voltage_swells_l1"},
	{"1-0:52.36.0", "voltage_swells_l2"},
	{"1-0:72.36.0", "voltage_swells_l3"},
	{"0-0:96.7.21", "power_failures"},
	{"0-0:96.7.9", "long_power_failures"},
	{"1-0:99.97.0", "power_failures_logged"},
	{"0-0:17.0.0", "power_limit"},
	{"1-0:31.4.0", "fuse_limit"},
	{"0-0:96.3.10", "switch_position"},
	{"1-0:94.32.1", "grid"},
	{"0-0:96.13.0", "message"},
	{"0-0:96.13.1", "message_code"},
}

// channelWords are the codes of meters behind the meter, without the channel.
var channelWords = [...]Word{
	{"24.1.0", "_type"},
	{"24.2.1", ""},
	{"24.2.3", "_uncorrected"},
	{"24.3.0", ""},
	{"24.4.0", "_valve"},
	{"96.1.0", "_id"},
	{"96.1.1", "_id"},
	{"96.1.2", "_connection_id"},
}
