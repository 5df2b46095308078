package vedirect

import (
	"bytes"

	"sluice/protocol"
	"sluice/protocol/payload/plain"
)

// Label is what is known of a label.
type Label struct {
	Label string  // as it is sent, such as "V"
	Name  string  // in words, such as "battery_voltage"
	Sent  string  // the unit that Decode gives, "" when the value as sent has none
	Scale float64 // what the value has to be multiplied with to be in Unit; 0: it is no measurement
	Unit  string  // as people write it
	kind  kind
}

// kind says how a value is read.
type kind uint8

const (
	either  kind = iota // an integer or a text, as it looks
	integer             // decimal, or hexadecimal after 0x
	minutes             // an integer, of which less than 0 is for ever
	onOff
	verbatim // a text, even of digits
)

// unknown stands for labels that are not in the table.
var unknown = Label{kind: either}

// value reads text, and is false when it is not of the kind.
func (k kind) value(words *plain.Words, value []byte) (protocol.Value, bool) {
	switch k {
	case onOff:
		on := bytes.EqualFold(value, []byte("ON"))
		return protocol.Bool(on), on || bytes.EqualFold(value, []byte("OFF"))
	case verbatim:
		return protocol.String(words.Get(value)), true
	}
	n, ok := plain.Int(value)
	if digits, isHex := bytes.CutPrefix(value, []byte("0x")); isHex {
		n, ok = plain.Hex(digits)
	}
	if !ok && k == either {
		return protocol.String(words.Get(value)), true
	}
	return protocol.Int(n), ok
}

// wanted names the kind in errors.
func (k kind) wanted() string {
	switch k {
	case onOff:
		return "ON or OFF"
	case integer, minutes:
		return "a whole number"
	}
	return "text"
}

// Labels returns what is known, in the order of Victron's document.
func Labels() []Label { return append([]Label(nil), labels[:]...) }

// The labels of VE.Direct protocol 3.33.
var labels = [...]Label{
	{"V", "battery_voltage", "mV", 0.001, "V", integer},
	{"V2", "battery_2_voltage", "mV", 0.001, "V", integer},
	{"V3", "battery_3_voltage", "mV", 0.001, "V", integer},
	{"VS", "starter_voltage", "mV", 0.001, "V", integer},
	{"VM", "midpoint_voltage", "mV", 0.001, "V", integer},
	{"DM", "midpoint_deviation", "‰", 0.1, "%", integer},
	{"VPV", "panel_voltage", "mV", 0.001, "V", integer},
	{"PPV", "panel_power", "W", 1, "W", integer},
	{"I", "battery_current", "mA", 0.001, "A", integer},
	{"I2", "battery_2_current", "mA", 0.001, "A", integer},
	{"I3", "battery_3_current", "mA", 0.001, "A", integer},
	{"IL", "load_current", "mA", 0.001, "A", integer},
	{"LOAD", "load_output", "", 0, "", onOff},
	{"T", "battery_temperature", "°C", 1, "°C", integer},
	{"P", "power", "W", 1, "W", integer},
	{"CE", "consumed_charge", "mAh", 0.001, "Ah", integer},
	{"SOC", "state_of_charge", "‰", 0.1, "%", integer},
	{"TTG", "time_to_go", "min", 1, "min", minutes},
	{"Alarm", "alarm", "", 0, "", onOff},
	{"Relay", "relay", "", 0, "", onOff},
	{"AR", "alarm_reason", "", 0, "", integer},
	{"OR", "off_reason", "", 0, "", integer},
	{"H1", "deepest_discharge", "mAh", 0.001, "Ah", integer},
	{"H2", "last_discharge", "mAh", 0.001, "Ah", integer},
	{"H3", "average_discharge", "mAh", 0.001, "Ah", integer},
	{"H4", "charge_cycles", "", 1, "", integer},
	{"H5", "full_discharges", "", 1, "", integer},
	{"H6", "charge_drawn", "mAh", 0.001, "Ah", integer},
	{"H7", "lowest_battery_voltage", "mV", 0.001, "V", integer},
	{"H8", "highest_battery_voltage", "mV", 0.001, "V", integer},
	{"H9", "time_since_full", "s", 1, "s", integer},
	{"H10", "synchronizations", "", 1, "", integer},
	{"H11", "low_voltage_alarms", "", 1, "", integer},
	{"H12", "high_voltage_alarms", "", 1, "", integer},
	{"H13", "low_starter_voltage_alarms", "", 1, "", integer},
	{"H14", "high_starter_voltage_alarms", "", 1, "", integer},
	{"H15", "lowest_starter_voltage", "mV", 0.001, "V", integer},
	{"H16", "highest_starter_voltage", "mV", 0.001, "V", integer},
	{"H17", "energy_discharged", "", 0.01, "kWh", integer},
	{"H18", "energy_charged", "", 0.01, "kWh", integer},
	{"H19", "yield_total", "", 0.01, "kWh", integer},
	{"H20", "yield_today", "", 0.01, "kWh", integer},
	{"H21", "power_max_today", "W", 1, "W", integer},
	{"H22", "yield_yesterday", "", 0.01, "kWh", integer},
	{"H23", "power_max_yesterday", "W", 1, "W", integer},
	{"ERR", "error", "", 0, "", integer},
	{"CS", "operation_state", "", 0, "", integer},
	{"BMV", "model", "", 0, "", verbatim},
	{"FW", "firmware", "", 0, "", verbatim},
	{"FWE", "firmware_24", "", 0, "", verbatim},
	{"PID", "product_id", "", 0, "", integer},
	{"SER#", "serial_number", "", 0, "", verbatim},
	{"HSDS", "day_number", "", 1, "", integer},
	{"MODE", "device_mode", "", 0, "", integer},
	{"AC_OUT_V", "ac_voltage", "", 0.01, "V", integer},
	{"AC_OUT_I", "ac_current", "", 0.1, "A", integer},
	{"AC_OUT_S", "ac_apparent_power", "VA", 1, "VA", integer},
	{"WARN", "warning_reason", "", 0, "", integer},
	{"MPPT", "tracker_mode", "", 0, "", integer},
	{"MON", "monitor_mode", "", 0, "", integer},
	{"DC_IN_V", "dc_voltage", "", 0.01, "V", integer},
	{"DC_IN_I", "dc_current", "", 0.1, "A", integer},
	{"DC_IN_P", "dc_power", "W", 1, "W", integer},
}
