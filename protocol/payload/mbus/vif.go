package mbus

// sort is how the codes of a span and the data behind them are to be read.
type sort byte

const (
	decimal  sort = iota // each code is ten times the one before
	duration             // the codes are seconds, minutes, hours, days
	plain                // a number as it is
	flags                // bits
	point                // a date or a time
	maker                // a manufacturer's code
)

// span is a run of VIF codes for one quantity.
type span struct {
	first, last byte
	name, unit  string
	sort        sort
	exp         int   // the power of ten of the first code
	factor      int64 // 0 for 1
}

// quantity is what a record measures.
type quantity struct {
	name, unit string
	sort       sort
	exp        int
	factor     int64
}

// primary are the codes of the first table.
var primary = []span{
	{0x00, 0x07, "energy", "Wh", decimal, -3, 0},
	{0x08, 0x0f, "energy", "J", decimal, 0, 0},
	{0x10, 0x17, "volume", "m³", decimal, -6, 0},
	{0x18, 0x1f, "mass", "kg", decimal, -3, 0},
	{0x20, 0x23, "on_time", "s", duration, 0, 0},
	{0x24, 0x27, "operating_time", "s", duration, 0, 0},
	{0x28, 0x2f, "power", "W", decimal, -3, 0},
	{0x30, 0x37, "power", "J/h", decimal, 0, 0},
	{0x38, 0x3f, "volume_flow", "m³/h", decimal, -6, 0},
	{0x40, 0x47, "volume_flow", "m³/h", decimal, -7, 60},
	{0x48, 0x4f, "volume_flow", "m³/h", decimal, -9, 3600},
	{0x50, 0x57, "mass_flow", "kg/h", decimal, -3, 0},
	{0x58, 0x5b, "flow_temperature", "°C", decimal, -3, 0},
	{0x5c, 0x5f, "return_temperature", "°C", decimal, -3, 0},
	{0x60, 0x63, "temperature_difference", "K", decimal, -3, 0},
	{0x64, 0x67, "external_temperature", "°C", decimal, -3, 0},
	{0x68, 0x6b, "pressure", "bar", decimal, -3, 0},
	{0x6c, 0x6c, "date", "", point, 0, 0},
	{0x6d, 0x6d, "time", "", point, 0, 0},
	{0x6e, 0x6e, "hca_units", "", plain, 0, 0},
	{0x70, 0x73, "averaging_duration", "s", duration, 0, 0},
	{0x74, 0x77, "actuality_duration", "s", duration, 0, 0},
	{0x78, 0x78, "fabrication_number", "", plain, 0, 0},
	{0x79, 0x79, "identification", "", plain, 0, 0},
	{0x7a, 0x7a, "bus_address", "", plain, 0, 0},
	{0x7e, 0x7e, "any", "", plain, 0, 0},
}

// extensionFD are the codes behind FD.
var extensionFD = []span{
	{0x00, 0x03, "credit", "", decimal, -3, 0},
	{0x04, 0x07, "debit", "", decimal, -3, 0},
	{0x08, 0x08, "access_number", "", plain, 0, 0},
	{0x09, 0x09, "medium", "", plain, 0, 0},
	{0x0a, 0x0a, "manufacturer", "", maker, 0, 0},
	{0x0b, 0x0b, "parameter_set", "", plain, 0, 0},
	{0x0c, 0x0c, "model_version", "", plain, 0, 0},
	{0x0d, 0x0d, "hardware_version", "", plain, 0, 0},
	{0x0e, 0x0e, "firmware_version", "", plain, 0, 0},
	{0x0f, 0x0f, "software_version", "", plain, 0, 0},
	{0x10, 0x10, "customer_location", "", plain, 0, 0},
	{0x11, 0x11, "customer", "", plain, 0, 0},
	{0x12, 0x12, "access_code_user", "", plain, 0, 0},
	{0x13, 0x13, "access_code_operator", "", plain, 0, 0},
	{0x14, 0x14, "access_code_system_operator", "", plain, 0, 0},
	{0x15, 0x15, "access_code_developer", "", plain, 0, 0},
	{0x16, 0x16, "password", "", plain, 0, 0},
	{0x17, 0x17, "error_flags", "", flags, 0, 0},
	{0x18, 0x18, "error_mask", "", flags, 0, 0},
	{0x19, 0x19, "security_key", "", plain, 0, 0},
	{0x1a, 0x1a, "digital_output", "", flags, 0, 0},
	{0x1b, 0x1b, "digital_input", "", flags, 0, 0},
	{0x1c, 0x1c, "baud_rate", "Bd", plain, 0, 0},
	{0x1d, 0x1d, "response_delay", "bit times", plain, 0, 0},
	{0x1e, 0x1e, "retry", "", plain, 0, 0},
	{0x1f, 0x1f, "remote_control", "", plain, 0, 0},
	{0x20, 0x20, "first_storage", "", plain, 0, 0},
	{0x21, 0x21, "last_storage", "", plain, 0, 0},
	{0x22, 0x22, "storage_block_size", "", plain, 0, 0},
	{0x23, 0x23, "tariff_descriptor", "", flags, 0, 0},
	{0x24, 0x27, "storage_interval", "s", duration, 0, 0},
	{0x28, 0x28, "storage_interval", "months", plain, 0, 0},
	{0x29, 0x29, "storage_interval", "years", plain, 0, 0},
	{0x2a, 0x2a, "operator_data", "", plain, 0, 0},
	{0x2b, 0x2b, "second_of_time", "s", plain, 0, 0},
	{0x2c, 0x2f, "time_since_readout", "s", duration, 0, 0},
	{0x30, 0x30, "tariff_start", "", point, 0, 0},
	{0x31, 0x31, "tariff_duration", "s", plain, 0, 60},
	{0x32, 0x32, "tariff_duration", "s", plain, 0, 3600},
	{0x33, 0x33, "tariff_duration", "s", plain, 0, 86400},
	{0x34, 0x37, "tariff_period", "s", duration, 0, 0},
	{0x38, 0x38, "tariff_period", "months", plain, 0, 0},
	{0x39, 0x39, "tariff_period", "years", plain, 0, 0},
	{0x3a, 0x3a, "dimensionless", "", plain, 0, 0},
	{0x3b, 0x3b, "radio_container", "", plain, 0, 0},
	{0x3c, 0x3f, "transmission_period", "s", duration, 0, 0},
	{0x40, 0x4f, "voltage", "V", decimal, -9, 0},
	{0x50, 0x5f, "current", "A", decimal, -12, 0},
	{0x60, 0x60, "reset_counter", "", plain, 0, 0},
	{0x61, 0x61, "cumulation_counter", "", plain, 0, 0},
	{0x62, 0x62, "control_signal", "", plain, 0, 0},
	{0x63, 0x63, "day_of_week", "", plain, 0, 0},
	{0x64, 0x64, "week_number", "", plain, 0, 0},
	{0x65, 0x65, "day_change", "", point, 0, 0},
	{0x66, 0x66, "parameter_activation", "", plain, 0, 0},
	{0x67, 0x67, "supplier_data", "", plain, 0, 0},
	{0x68, 0x68, "time_since_cumulation", "s", plain, 0, 3600},
	{0x69, 0x69, "time_since_cumulation", "s", plain, 0, 86400},
	{0x6a, 0x6a, "time_since_cumulation", "months", plain, 0, 0},
	{0x6b, 0x6b, "time_since_cumulation", "years", plain, 0, 0},
	{0x6c, 0x6c, "battery_operating_time", "s", plain, 0, 3600},
	{0x6d, 0x6d, "battery_operating_time", "s", plain, 0, 86400},
	{0x6e, 0x6e, "battery_operating_time", "months", plain, 0, 0},
	{0x6f, 0x6f, "battery_operating_time", "years", plain, 0, 0},
	{0x70, 0x70, "battery_change", "", point, 0, 0},
	{0x71, 0x71, "rf_level", "dBm", plain, 0, 0},
	{0x72, 0x72, "daylight_saving", "", plain, 0, 0},
	{0x73, 0x73, "listening_window", "", plain, 0, 0},
	{0x74, 0x74, "remaining_battery_life", "d", plain, 0, 0},
	{0x75, 0x75, "stop_counter", "", plain, 0, 0},
	{0x76, 0x76, "manufacturer_container", "", plain, 0, 0},
}

// extensionFB are the codes behind FB.
var extensionFB = []span{
	{0x00, 0x01, "energy", "Wh", decimal, 5, 0},
	{0x02, 0x03, "reactive_energy", "varh", decimal, 3, 0},
	{0x04, 0x05, "apparent_energy", "VAh", decimal, 3, 0},
	{0x08, 0x09, "energy", "J", decimal, 8, 0},
	{0x0c, 0x0f, "energy", "cal", decimal, 5, 0},
	{0x10, 0x11, "volume", "m³", decimal, 2, 0},
	{0x14, 0x17, "reactive_power", "var", decimal, 0, 0},
	{0x18, 0x19, "mass", "kg", decimal, 5, 0},
	{0x1a, 0x1b, "relative_humidity", "%", decimal, -1, 0},
	{0x20, 0x20, "volume", "ft³", plain, 0, 0},
	{0x21, 0x21, "volume", "ft³", plain, -1, 0},
	{0x22, 0x22, "volume", "gal", plain, -1, 0},
	{0x23, 0x23, "volume", "gal", plain, 0, 0},
	{0x24, 0x24, "volume_flow", "gal/min", plain, -3, 0},
	{0x25, 0x25, "volume_flow", "gal/min", plain, 0, 0},
	{0x26, 0x26, "volume_flow", "gal/h", plain, 0, 0},
	{0x28, 0x29, "power", "W", decimal, 5, 0},
	{0x2a, 0x2a, "phase_voltage", "°", plain, -1, 0},
	{0x2b, 0x2b, "phase_current", "°", plain, -1, 0},
	{0x2c, 0x2f, "frequency", "Hz", decimal, -3, 0},
	{0x30, 0x31, "power", "J/h", decimal, 8, 0},
	{0x34, 0x37, "apparent_power", "VA", decimal, 0, 0},
	{0x58, 0x5b, "flow_temperature", "°F", decimal, -3, 0},
	{0x5c, 0x5f, "return_temperature", "°F", decimal, -3, 0},
	{0x60, 0x63, "temperature_difference", "°F", decimal, -3, 0},
	{0x64, 0x67, "external_temperature", "°F", decimal, -3, 0},
	{0x70, 0x73, "temperature_limit", "°F", decimal, -3, 0},
	{0x74, 0x77, "temperature_limit", "°C", decimal, -3, 0},
	{0x78, 0x7f, "cumulated_max_power", "W", decimal, -3, 0},
}

// steps are how many seconds the four codes of a duration count.
var steps = [4]int64{1, 60, 3600, 86400}

// find returns the quantity of a code in a table, and false when it has none.
func find(table []span, code byte) (quantity, bool) {
	for i := range table {
		s := &table[i]
		if code < s.first {
			break
		}
		if code > s.last {
			continue
		}
		q := quantity{name: s.name, unit: s.unit, sort: s.sort, exp: s.exp, factor: s.factor}
		switch s.sort {
		case decimal:
			q.exp += int(code - s.first)
		case duration:
			q.factor = steps[code-s.first]
		}
		return q, true
	}
	return quantity{}, false
}
