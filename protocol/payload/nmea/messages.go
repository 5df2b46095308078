package nmea

// The sentences that carry alarms, texts and messages of other systems. Their
// times are those of an event, not of the sentence, and stay texts.
var messages = []layout{
	{"TXT", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "text_id", ""}, {word, "text", ""}}},
	{"ALR", []field{{word, "event_time", ""}, {whole, "alarm", ""}, {letter, "condition", "AV"}, {letter, "acknowledged", "AV"}, {word, "text", ""}}},
	{"ALA", []field{{word, "event_time", ""}, {word, "system", ""}, {word, "subsystem", ""}, {whole, "instance", ""}, {whole, "alarm", ""},
		{letter, "condition", "NHJLKX"}, {letter, "acknowledged", "AVBHO"}, {word, "text", ""}}},
	{"ALC", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "message", ""}, {whole, "alerts", ""}, {rest, "alert_list", ""}}},
	{"ALF", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "message", ""}, {word, "event_time", ""}, {letter, "category", "ABC"},
		{letter, "priority", "EAWC"}, {letter, "state", "ASNOUV"}, {word, "manufacturer", ""}, {whole, "alert", ""}, {whole, "instance", ""}, {whole, "revision", ""},
		{whole, "escalation", ""}, {word, "text", ""}}},
	{"ACN", []field{{word, "event_time", ""}, {word, "manufacturer", ""}, {whole, "alert", ""}, {whole, "instance", ""}, {letter, "command", "AQOS"}, {letter, "state", "C"}}},
	{"ARC", []field{{word, "event_time", ""}, {word, "manufacturer", ""}, {whole, "alert", ""}, {whole, "instance", ""}, {letter, "command", "AQOS"}}},
	{"EVE", []field{{word, "event_time", ""}, {word, "tag", ""}, {word, "text", ""}}},
	{"FIR", []field{{letter, "type", "SEFD"}, {word, "event_time", ""}, {word, "system", ""}, {word, "division", ""}, {whole, "division_number", ""}, {whole, "detector", ""},
		{letter, "condition", "AVX"}, {letter, "acknowledged", "AV"}, {word, "text", ""}}},
	{"DSC", []field{{word, "format", ""}, {word, "address", ""}, {word, "category", ""}, {word, "cause", ""}, {word, "communication", ""}, {word, "position", ""},
		{word, "event_time", ""}, {word, "ship", ""}, {word, "ship_cause", ""}, {letter, "acknowledgement", "RBS"}, {letter, "expansion", "E"}}},
	{"VSD", []field{{whole, "ship_type", ""}, {number, "draught", "m"}, {whole, "persons", ""}, {word, "destination", ""}, {word, "arrival_time", ""}, {whole, "arrival_day", ""},
		{whole, "arrival_month", ""}, {whole, "nav_status", ""}, {whole, "regional", ""}}},
	{"ABM", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "message", ""}, {word, "mmsi", ""}, {word, "channel", ""}, {whole, "vdl_message", ""},
		{word, "payload", ""}, {whole, "fill_bits", ""}}},
	{"BBM", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "message", ""}, {word, "channel", ""}, {whole, "vdl_message", ""},
		{word, "payload", ""}, {whole, "fill_bits", ""}}},
	{"VDM", vdl},
	{"VDO", vdl},
	{"TTD", []field{{hexed, "sentences", ""}, {hexed, "sentence", ""}, {whole, "message", ""}, {word, "payload", ""}, {whole, "fill_bits", ""}}},
}

// vdl is the layout of VDM and VDO: an AIS message, six bits per character,
// which is passed on as it is.
var vdl = []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "message", ""}, {word, "channel", ""}, {word, "payload", ""}, {whole, "fill_bits", ""}}

// The sentences of makers.
var proprietary = []layout{
	{"PGRME", []field{{number, "horizontal_error", "m"}, {letter, "", "M"}, {number, "vertical_error", "m"}, {letter, "", "M"}, {number, "position_error", "m"}, {letter, "", "M"}}},
	{"PGRMM", []field{{word, "datum", ""}}},
	{"PGRMZ", []field{{number, "altitude_feet", "ft"}, {letter, "", "f"}, {letter, "fix_type", "123"}}},
	{"PASHR", []field{{clock, "", ""}, {number, "heading", "°"}, {letter, "", "T"}, {number, "roll", "°"}, {number, "pitch", "°"}, {number, "heave", "m"},
		{number, "roll_error", "°"}, {number, "pitch_error", "°"}, {number, "heading_error", "°"}, {whole, "fix", ""}, {whole, "inertial", ""}}},
	{"PCDIN", []field{{hexed, "pgn", ""}, {hexed, "timer", ""}, {hexed, "source", ""}, {word, "payload", ""}}},
	{"PKLDS", []field{{clock, "", ""}, {status, "status", ""}, {latitude, "latitude", ""}, {longitude, "longitude", ""}, {number, "speed", "kn"}, {number, "course", "°"},
		{day, "", ""}, {signed, "magnetic_variation", "°"}, {word, "fleet", ""}, {word, "unit", ""}, {word, "unit_status", ""}, {word, "extension", ""}}},
	{"PKLSH", []field{{latitude, "latitude", ""}, {longitude, "longitude", ""}, {clock, "", ""}, {status, "status", ""}, {word, "fleet", ""}, {word, "unit", ""}}},
	{"PKNID", []field{{word, "version", ""}, {word, "unit", ""}, {word, "unit_status", ""}, {word, "extension", ""}}},
	{"PRDID", []field{{number, "pitch", "°"}, {number, "roll", "°"}, {number, "heading", "°"}}},
	{"PSKPDPT", []field{{number, "depth_below_transducer", "m"}, {number, "transducer_offset", "m"}, {number, "range_scale", "m"}, {whole, "echo_strength", ""},
		{whole, "channel", ""}, {word, "location", ""}}},
	{"PSONCMS", []field{{number, "quaternion_0", ""}, {number, "quaternion_1", ""}, {number, "quaternion_2", ""}, {number, "quaternion_3", ""},
		{number, "acceleration_x", "m/s²"}, {number, "acceleration_y", "m/s²"}, {number, "acceleration_z", "m/s²"},
		{number, "turn_x", "rad/s"}, {number, "turn_y", "rad/s"}, {number, "turn_z", "rad/s"},
		{number, "magnetic_x", "G"}, {number, "magnetic_y", "G"}, {number, "magnetic_z", "G"}, {number, "temperature", "°C"}}},
}
