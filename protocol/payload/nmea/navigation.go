package nmea

// The sentences of satellite receivers and route computers, as NMEA 0183
// version 4.11 has them. Names that begin with waypoint, destination or target
// are about another place than the device's own.
var navigation = []layout{
	{"RMC", []field{{clock, "", ""}, {status, "status", ""}, {latitude, "latitude", ""}, {longitude, "longitude", ""}, {number, "speed", "kn"}, {number, "course", "°"},
		{day, "", ""}, {signed, "magnetic_variation", "°"}, {mode, "mode", ""}, {letter, "nav_status", "SCUVD"}}},
	{"GGA", []field{{clock, "", ""}, {latitude, "latitude", ""}, {longitude, "longitude", ""}, {quality, "fix", "0123456789"}, {whole, "satellites", ""},
		{number, "hdop", ""}, {number, "altitude", "m"}, {letter, "", "M"}, {number, "geoid_separation", "m"}, {letter, "", "M"}, {number, "dgps_age", "s"}, {word, "dgps_station", ""}}},
	{"GLL", []field{{latitude, "latitude", ""}, {longitude, "longitude", ""}, {clock, "", ""}, {status, "status", ""}, {mode, "mode", ""}}},
	{"GNS", []field{{clock, "", ""}, {latitude, "latitude", ""}, {longitude, "longitude", ""}, {mode, "mode", ""}, {whole, "satellites", ""},
		{number, "hdop", ""}, {number, "altitude", "m"}, {number, "geoid_separation", "m"}, {number, "dgps_age", "s"}, {word, "dgps_station", ""}, {letter, "nav_status", "SCUVD"}}},
	{"VTG", []field{{number, "course", "°"}, {letter, "", "T"}, {number, "course_magnetic", "°"}, {letter, "", "M"}, {number, "speed", "kn"}, {letter, "", "N"},
		{number, "speed_kmh", "km/h"}, {letter, "", "K"}, {mode, "mode", ""}}},
	{"ZDA", []field{{clock, "", ""}, {dayParts, "", ""}, {whole, "zone_hours", ""}, {whole, "zone_minutes", ""}}},
	{"GSA", []field{{letter, "selection", "AM"}, {quality, "fix_type", "123"}, {list, "satellites_used", "12"}, {number, "pdop", ""}, {number, "hdop", ""}, {number, "vdop", ""},
		{hexed, "system", ""}}},
	{"GSV", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {whole, "satellites_in_view", ""}, {satellites, "", ""}}},
	{"GST", []field{{clock, "", ""}, {number, "rms", "m"}, {number, "major_error", "m"}, {number, "minor_error", "m"}, {number, "error_orientation", "°"},
		{number, "latitude_error", "m"}, {number, "longitude_error", "m"}, {number, "altitude_error", "m"}}},
	{"GBS", []field{{clock, "", ""}, {number, "latitude_error", "m"}, {number, "longitude_error", "m"}, {number, "altitude_error", "m"}, {whole, "failed_satellite", ""},
		{number, "missed_detection", ""}, {number, "bias", "m"}, {number, "bias_deviation", "m"}, {hexed, "system", ""}, {hexed, "signal", ""}}},
	{"GRS", []field{{clock, "", ""}, {letter, "residuals_computed", "01"}, {stations, "residual", "12"}}},
	{"DTM", []field{{word, "datum", ""}, {word, "datum_subdivision", ""}, {signed, "latitude_offset", "arcmin"}, {signed, "longitude_offset", "arcmin"},
		{number, "altitude_offset", "m"}, {word, "reference_datum", ""}}},
	{"AAM", []field{{letter, "arrival_circle", "AV"}, {letter, "perpendicular", "AV"}, {length, "arrival_radius", "1"}, {letter, "", "NKSM"}, {word, "waypoint", ""}}},
	{"APB", []field{{status, "status", ""}, {status, "lock_status", ""}, {length, "cross_track_error", "2"}, {letter, "steer", "LR"}, {letter, "", "NKSM"},
		{letter, "arrival_circle", "AV"}, {letter, "perpendicular", "AV"}, {number, "bearing_origin", "°"}, {letter, "bearing_origin_reference", "TM"}, {word, "waypoint", ""},
		{number, "bearing", "°"}, {letter, "bearing_reference", "TM"}, {number, "heading_to_steer", "°"}, {letter, "heading_to_steer_reference", "TM"}, {mode, "mode", ""}}},
	{"BEC", waypoint},
	{"BWC", waypoint},
	{"BWR", waypoint},
	{"BOD", legs},
	{"BWW", legs},
	{"RMB", []field{{status, "status", ""}, {number, "cross_track_error", "nmi"}, {letter, "steer", "LR"}, {word, "origin", ""}, {word, "waypoint", ""},
		{latitude, "waypoint_latitude", ""}, {longitude, "waypoint_longitude", ""}, {number, "distance", "nmi"}, {number, "bearing", "°"}, {number, "closing_speed", "kn"},
		{letter, "arrival_circle", "AV"}, {mode, "mode", ""}}},
	{"RTE", []field{{whole, "sentences", ""}, {whole, "sentence", ""}, {letter, "route_kind", "cwCW"}, {word, "route", ""}, {rest, "waypoints", ""}}},
	{"WPL", []field{{latitude, "waypoint_latitude", ""}, {longitude, "waypoint_longitude", ""}, {word, "waypoint", ""}}},
	{"XTE", []field{{status, "status", ""}, {status, "lock_status", ""}, {length, "cross_track_error", "2"}, {letter, "steer", "LR"}, {letter, "", "NKSM"}, {mode, "mode", ""}}},
	{"XTR", []field{{length, "cross_track_error", "2"}, {letter, "steer", "LR"}, {letter, "", "NKSM"}}},
}

// waypoint is the layout of BEC, BWC and BWR: bearing and distance to one.
var waypoint = []field{{clock, "", ""}, {latitude, "waypoint_latitude", ""}, {longitude, "waypoint_longitude", ""}, {number, "bearing", "°"}, {letter, "", "T"},
	{number, "bearing_magnetic", "°"}, {letter, "", "M"}, {number, "distance", "nmi"}, {letter, "", "N"}, {word, "waypoint", ""}, {mode, "mode", ""}}

// legs is the layout of BOD and BWW: the bearing between two waypoints.
var legs = []field{{number, "bearing", "°"}, {letter, "", "T"}, {number, "bearing_magnetic", "°"}, {letter, "", "M"}, {word, "destination", ""}, {word, "origin", ""}}
