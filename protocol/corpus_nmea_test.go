package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload/nmea"
)

// judgeNMEA holds a sentence, a coordinate or a receiver's log against what the
// peers make of it.
func judgeNMEA(c corpusCase) error {
	switch c.Group {
	case "gpsd":
		return judgeLog(c)
	case "latlon":
		return judgeCoordinate(c)
	case "minmea":
		return judgeMinmea(c)
	}
	if c.Error != nil {
		return mustRefuse(nmea.New(nmea.DefaultConfig()).Decode(&protocol.Batch{}, c.Inputs[0]))
	}
	return judgeSentence(c)
}

func mustRefuse(err error) error {
	if err == nil {
		return errors.New("is read and ought to be refused")
	}
	return nil
}

// reasonOf returns the reason of a refusal, "" when err is none.
func reasonOf(err error) string {
	var refusal *protocol.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

// judgeMinmea compares which sentences a peer finds well formed, with the
// checksum required and not.
func judgeMinmea(c corpusCase) error {
	var want struct {
		Strict bool `json:"valid_strict"`
		Loose  bool `json:"valid_loose"`
	}
	if c.Expected != nil {
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			return err
		}
	}
	for checksum, valid := range map[string]bool{"required": want.Strict, "optional": want.Loose} {
		err := nmea.New(nmea.Config{Checksum: checksum}).Decode(&protocol.Batch{}, c.Inputs[0])
		if valid != (err == nil) {
			return fmt.Errorf("checksum %s: want valid %v, got %v", checksum, valid, err)
		}
	}
	return nil
}

// judgeCoordinate writes the coordinate as part of a sentence. The peer's tests
// round to a millionth and allow one more.
func judgeCoordinate(c corpusCase) error {
	var want struct{ Degrees float64 }
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	text, letter, _ := strings.Cut(string(c.Inputs[0]), " ")
	var b protocol.Batch
	if err := nmea.New(nmea.DefaultConfig()).Decode(&b, nmea.AppendSentence(nil, "GP", "GLL", text, letter)); err != nil {
		return err
	}
	if got := metricOf(&b.Readings[0], "latitude"); got == nil || math.Abs(got.Value.Float()-want.Degrees) > 1e-6 {
		return fmt.Errorf("got %v, want %v", b.Readings[0].Metrics, want.Degrees)
	}
	return nil
}

func metricOf(r *protocol.Reading, name string) *protocol.Metric {
	if i := slices.IndexFunc(r.Metrics, func(m protocol.Metric) bool { return m.Name == name }); i >= 0 {
		return &r.Metrics[i]
	}
	return nil
}

// judgeSentence compares each field that the peer found, and sees to it that we
// found no other. The decoder has been told a date before.
func judgeSentence(c corpusCase) error {
	var want struct {
		Sentence string
		Fields   map[string]any
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	d := nmea.New(nmea.DefaultConfig())
	var b protocol.Batch
	if err := d.Decode(&b, []byte("$GPZDA,120000,15,06,2024,00,00")); err != nil {
		return err
	}
	r, err := &protocol.Reading{}, d.Decode(&b, c.Inputs[0])
	switch {
	case err == nil:
		r = &b.Readings[1]
	case reasonOf(err) != "missing":
		return err
	default:
		delete(want.Fields, "Time") // the peer reads a time of nothing else
	}
	rules := nmeaNames[want.Sentence]
	known := strings.Fields("fill_bits payload mode satellites_used status magnetic_variation rudder_port rudder_starboard alert_list")
	for rule := range strings.FieldsSeq(rules) {
		field, metric, _ := strings.Cut(rule, ":")
		value, ok := want.Fields[field]
		known = append(known, metric)
		if !ok {
			continue
		}
		if err := judgeField(r, field, metric, value, want.Fields); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		delete(want.Fields, field)
	}
	if len(want.Fields) > 0 {
		return fmt.Errorf("fields that no rule maps: %v", want.Fields)
	}
	for _, m := range r.Metrics {
		counted := want.Sentence == "GSV" || want.Sentence == "XDR" // by their own comparison
		if !counted && !slices.Contains(known, m.Name) {
			return fmt.Errorf("no field of the peer is %s", m.Name)
		}
	}
	return nil
}

func judgeField(r *protocol.Reading, field, metric string, want any, all map[string]any) error {
	switch {
	case metric == "-":
		return nil
	case metric == "#":
		return judgeSpecial(r, field, want, all)
	case metric == "@time", metric == "@date":
		return judgeTime(r, metric, want)
	case metric[0] == '=':
		if text := want.(string); text != "" && text != metric[1:] {
			return fmt.Errorf("is %q", text)
		}
		return nil
	case metric[0] == '?':
		if there := metricOf(r, metric[1:]) != nil; there != want.(bool) {
			return fmt.Errorf("%s is there: %v", metric[1:], there)
		}
		return nil
	case strings.HasPrefix(metric, "unit("):
		return judgeUnit(metricOf(r, metric[5:len(metric)-1]), want.(string))
	}
	return judgeMetric(metricOf(r, metric), want)
}

// judgeUnit compares a unit with its letter, which may stand without a value.
func judgeUnit(m *protocol.Metric, letter string) error {
	units := map[string]string{"N": "nmi kn", "K": "km km/h", "M": "m m/s", "S": "mi mph", "f": "ft", "F": "fathom"}
	if m != nil && !slices.Contains(strings.Fields(units[letter]), m.Unit) {
		return fmt.Errorf("unit %s is %q", letter, m.Unit)
	}
	return nil
}

// judgeMetric compares a value. The peer has 0 and "" where a field is empty,
// and there we have nothing.
func judgeMetric(m *protocol.Metric, want any) error {
	wrong := fmt.Errorf("got %v, want %v", m, want)
	if at, ok := want.(map[string]any); ok {
		want = plainOf(at)
	}
	switch want := want.(type) {
	case nil:
		if m != nil {
			return wrong
		}
	case string:
		if got := ""; m != nil {
			got = m.Value.String()
			if strings.TrimSpace(want) != got {
				return wrong
			}
		} else if strings.TrimSpace(want) != got {
			return wrong
		}
	case float64:
		got := 0.0
		if m != nil {
			var ok bool
			if got, ok = m.Value.Number(); !ok {
				got, _ = strconv.ParseFloat(m.Value.Text(), 64)
			}
		}
		if math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
			return wrong
		}
	default:
		return fmt.Errorf("what is %T?", want)
	}
	return nil
}

// plainOf returns the value of what the peer keeps as a structure: a position,
// a time of day, a number that may be missing.
func plainOf(at map[string]any) any {
	if text, ok := at["position_text"].(string); ok {
		return positionOf(text)
	}
	if hour, ok := at["Hour"].(float64); ok {
		if at["valid"] != true {
			return ""
		}
		return fmt.Sprintf("%02v%02v%02v", hour, at["Minute"], at["Second"])
	}
	if at["Valid"] == true {
		return at["Value"]
	}
	return nil
}

// positionOf reads "5133.82 N": the last two digits before the point begin the
// minutes.
func positionOf(text string) float64 {
	number, letter, _ := strings.Cut(text, " ")
	point := strings.IndexByte(number, '.')
	degrees, _ := strconv.ParseFloat(number[:point-2], 64)
	minutes, _ := strconv.ParseFloat(number[point-2:], 64)
	if letter == "S" || letter == "W" {
		return -(degrees + minutes/60)
	}
	return degrees + minutes/60
}

// judgeTime compares the reading's time of day or its date, which the peer
// writes as an object or as a list that begins with whether there is one.
func judgeTime(r *protocol.Reading, metric string, want any) error {
	at := r.SourceTime.Time()
	got := []any{true, float64(at.Hour()), float64(at.Minute()), float64(at.Second()), float64(at.Nanosecond() / 1e6)}
	keys := []string{"valid", "Hour", "Minute", "Second", "Millisecond"}
	if metric == "@date" {
		got = []any{true, float64(at.Day()), float64(at.Month()), float64(at.Year() % 100)}
		keys = []string{"valid", "DD", "MM", "YY"}
	}
	list, _ := want.([]any)
	if named, ok := want.(map[string]any); ok {
		for _, key := range keys {
			list = append(list, named[key])
		}
	}
	if r.SourceTime == 0 || !slices.Equal(list, got) {
		return fmt.Errorf("got %v, want %v", at, want)
	}
	return nil
}

// judgeSpecial compares what is built differently on both sides.
func judgeSpecial(r *protocol.Reading, field string, want any, all map[string]any) error {
	switch field {
	case "Payload":
		return judgeSixBits(r, want)
	case "Data":
		var text []byte
		for _, v := range want.([]any) {
			text = append(text, byte(v.(float64)))
		}
		return judgeMetric(metricOf(r, "payload"), strings.ToUpper(hex.EncodeToString(text)))
	case "Mode", "SV":
		var texts []string
		for _, v := range want.([]any) {
			texts = append(texts, v.(string))
		}
		if field == "SV" {
			return judgeMetric(metricOf(r, "satellites_used"), strings.Join(texts, ","))
		}
		return judgeMetric(metricOf(r, "mode"), strings.Join(texts, ""))
	case "StatusValid", "Valid":
		return judgeMetric(metricOf(r, "status"), map[bool]string{true: "A", false: "V"}[want.(bool)])
	case "DeviationDirection":
		return nil // part of the sign, below
	case "Variation", "VariationDirection":
		value := all["Variation"]
		if value == nil {
			return nil // has been compared
		}
		if all["VariationDirection"] == "W" {
			value = -value.(float64)
		}
		return judgeMetric(metricOf(r, "magnetic_variation"), value)
	case "PortRudderAngleStatus", "StarboardRudderAngleStatus":
		metric := map[bool]string{true: "rudder_port", false: "rudder_starboard"}[field[0] == 'P']
		if (want == "A") != (metricOf(r, metric) != nil) {
			return fmt.Errorf("%v: %v", want, r.Metrics)
		}
		return nil
	case "Info":
		return judgeSatellites(r, want)
	case "AlertEntries":
		return judgeAlerts(r, want)
	case "Measurements":
		return judgeSensors(r, want)
	}
	return errors.New("nobody compares it")
}

// judgeSixBits unpacks our text as the peer does.
func judgeSixBits(r *protocol.Reading, want any) error {
	var got []any
	if m := metricOf(r, "payload"); m != nil {
		for _, c := range []byte(m.Value.Text()) {
			if c -= 48; c > 40 {
				c -= 8
			}
			for bit := 5; bit >= 0; bit-- {
				got = append(got, float64(c>>bit&1))
			}
		}
	}
	fill := 0
	if m := metricOf(r, "fill_bits"); m != nil {
		fill = int(m.Value.Int())
	}
	list, _ := want.([]any)
	if got = got[:len(got)-fill]; !slices.Equal(got, list) {
		return fmt.Errorf("%d bits, want %d", len(got), len(list))
	}
	return nil
}

func judgeSatellites(r *protocol.Reading, want any) error {
	count := 0
	list, _ := want.([]any)
	for _, v := range list {
		at := v.(map[string]any)
		for field, metric := range map[string]string{"Elevation": "elevation", "Azimuth": "azimuth", "SNR": "snr"} {
			found := 0
			for _, talker := range []string{"gp", "gl", "gb"} {
				if m := metricOf(r, fmt.Sprintf("%s%02v_%s", talker, at["SVPRNNumber"], metric)); m != nil {
					found++
					if err := judgeMetric(m, at[field]); err != nil {
						return err
					}
				}
			}
			if count += found; found != 1 {
				return fmt.Errorf("%s of %v: %v", field, at, r.Metrics)
			}
		}
	}
	if others := len(r.Metrics) - count; others > 4 {
		return fmt.Errorf("%d satellites, got %v", len(list), r.Metrics)
	}
	return nil
}

func judgeAlerts(r *protocol.Reading, want any) error {
	var texts []string
	list, _ := want.([]any)
	for _, v := range list {
		at := v.(map[string]any)
		texts = append(texts, fmt.Sprintf("%v,%02v,%02v,%02v", at["ManufacturerMnemonicCode"], at["AlertIdentifier"], at["AlertInstance"], at["RevisionCounter"]))
	}
	return judgeMetric(metricOf(r, "alert_list"), strings.Join(texts, ","))
}

func judgeSensors(r *protocol.Reading, want any) error {
	list, _ := want.([]any)
	for _, v := range list {
		at := v.(map[string]any)
		m := metricOf(r, at["TransducerName"].(string))
		if err := judgeMetric(m, at["Value"]); err != nil {
			return err
		}
		if at["TransducerType"] == "C" && m.Unit != "°C" {
			return fmt.Errorf("unit %q", m.Unit)
		}
	}
	if len(list) != len(r.Metrics) {
		return fmt.Errorf("%d measurements, got %v", len(list), r.Metrics)
	}
	return nil
}

// judgeLog reads a receiver's log. Every position and height that gpsd reports
// has to be one that we read, in the same order.
func judgeLog(c corpusCase) error {
	var want struct {
		TPV []struct {
			Lat, Lon, AltMSL, Track *float64
		}
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	reader, err := frame.New(frame.Config{NMEA: &frame.NMEA{Checksum: "required", Max: 1024}})
	if err != nil {
		return err
	}
	d := nmea.New(nmea.DefaultConfig())
	var b protocol.Batch
	reader.Feed(regexp.MustCompile(`(?m)^#.*\n`).ReplaceAll(c.Inputs[0], nil)) // remarks
	for sentence, ok := reader.Next(); ok; sentence, ok = reader.Next() {
		switch err := d.Decode(&b, sentence); reasonOf(err) {
		case "", "kind", "missing":
		default:
			return fmt.Errorf("%q: %w", sentence, err)
		}
	}
	at, height, track := 0, 0, 0
	for i, tpv := range want.TPV {
		var ok bool
		if tpv.Lat != nil {
			if at, ok = seek(b.Readings, at, "latitude", *tpv.Lat, "longitude", *tpv.Lon); !ok {
				return fmt.Errorf("report %d: nobody is at %v %v", i, *tpv.Lat, *tpv.Lon)
			}
		}
		if tpv.AltMSL != nil {
			if height, ok = seek(b.Readings, height, "altitude", *tpv.AltMSL, "altitude", *tpv.AltMSL); !ok {
				return fmt.Errorf("report %d: nobody is %v m high", i, *tpv.AltMSL)
			}
		}
		if tpv.Track != nil {
			if track, ok = seek(b.Readings, track, "course", *tpv.Track, "course", *tpv.Track); !ok {
				return fmt.Errorf("report %d: nobody goes to %v°", i, *tpv.Track)
			}
		}
	}
	return nil
}

// seek returns the first reading from at on that has two values.
func seek(readings []protocol.Reading, at int, name1 string, value1 float64, name2 string, value2 float64) (int, bool) {
	near := func(r *protocol.Reading, name string, value float64) bool {
		if m := metricOf(r, name); m != nil {
			return math.Abs(m.Value.Float()-value) < 6e-10
		}
		m := metricOf(r, name+"_feet") // gpsd gives metres, rounded to millimetres
		return m != nil && math.Abs(m.Value.Float()*0.3048-value) < 6e-4
	}
	for ; at < len(readings); at++ {
		if r := &readings[at]; near(r, name1, value1) && near(r, name2, value2) {
			return at, true
		}
	}
	return at, false
}
