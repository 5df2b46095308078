package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload/mbus"
)

// mbusRecord is a record as libmbus tells it.
type mbusRecord struct {
	Function, StorageNumber, Tariff, Device string
	Quantity, Unit, Value                   *string
}

// mbusNames are our names for the quantities of libmbus, with our units.
var mbusNames = map[string]string{
	"Energy/Wh": "energy/Wh", "Energy/J": "energy/J", "Volume/m^3": "volume/m³", "Power/W": "power/W",
	"Volume flow/m^3/h": "volume_flow/m³/h", "Flow temperature/°C": "flow_temperature/°C",
	"Return temperature/°C": "return_temperature/°C", "Temperature difference/K": "temperature_difference/K",
	"External temperature/°C": "external_temperature/°C", "On time/s": "on_time/s",
	"Operating time/s": "operating_time/s", "Averaging Duration/s": "averaging_duration/s",
	"Actuality Duration/s": "actuality_duration/s", "Voltage/V": "voltage/V", "Current/A": "current/A",
	"Time point (date & time)/-": "time/", "Time point (date)/-": "date/", "Fabrication No/": "fabrication_number/",
	"Error flags/": "error_flags/", "Reset counter/": "reset_counter/", "H.C.A./Units for H.C.A.": "hca_units/",
	"Firmware version/": "firmware_version/", "Software version/": "software_version/",
	"Digital Input/": "digital_input/", "Customer location/": "customer_location/", "Medium/": "medium/",
	"(Enhanced) Identification/": "identification/", "Model / Version/": "model_version/",
	"Parameter set identification/": "parameter_set/", "Manufacturer specific/": "manufacturer/",
	"Reserved/Reserved": `vif_[0-9a-f_]+/`,
	"C/-":               "C/", "c/-": "c/", "%RH/-": "relative_humidity/%", "cust. ID/-": "cust_ID/", "bat. time/-": "bat_time/",
}

// mbusModifiers are what VIFEs, which libmbus does not tell, may put behind a
// name.
const mbusModifiers = `(_vife_[0-9a-f]{2}|_manufacturer(_[0-9a-f]{2})*|(_[0-9a-f]{2})+|_forward|_backward|_future|_per_[a-z0-9_]+|_phase_l[123]|_start|_(first|last)_(begin|end))*`

func judgeMBus(c corpusCase) error {
	d, err := mbus.New(mbus.Config{ManufacturerData: true})
	if err != nil {
		return err
	}
	var b protocol.Batch
	err = d.Decode(&b, c.Inputs[0])
	if c.Error != nil {
		return wantRefused(err)
	}
	var want struct {
		Slave   map[string]*string
		Records []mbusRecord
	}
	if err := json.Unmarshal([]byte(unmangled(c.Expected)), &want); err != nil {
		return err
	}
	if text := want.Slave["Error"]; text != nil {
		return wantApplicationError(err, *text)
	}
	if err != nil {
		return err
	}
	if len(b.Readings) != 1 {
		return fmt.Errorf("%d readings", len(b.Readings))
	}
	if err := mbusSlave(&b.Readings[0], want.Slave); err != nil {
		return err
	}
	return mbusRecords(c.ID, b.Readings[0].Metrics[1:], want.Records)
}

// unmangled repairs the texts of the collection that were UTF-8 read as Latin-1.
func unmangled(text []byte) string {
	return strings.NewReplacer("Â°", "°", "Â´", "´").Replace(string(text))
}

func wantRefused(err error) error {
	var refusal *protocol.Refusal
	if !errors.As(err, &refusal) {
		return fmt.Errorf("got %v, want a refusal", err)
	}
	return nil
}

func wantApplicationError(err error, text string) error {
	ours := map[string]string{
		"Application busy": "application too busy", "More than 10 DIFE´s": "more than 10 DIFEs",
		"Unimplemented CI-Field": "unimplemented CI field",
	}[text]
	var refusal *protocol.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != "kind" || ours == "" || !strings.HasSuffix(err.Error(), ours) {
		return fmt.Errorf("got %v, want the error %s", err, text)
	}
	return nil
}

// mbusSlave compares the header.
func mbusSlave(r *protocol.Reading, want map[string]*string) error {
	tags := map[string]string{}
	for _, tag := range r.Device.Tags {
		tags[tag.Key] = tag.Value
	}
	id := strings.ToLower(*want["Id"])
	if got := strings.TrimLeft(tags["id"], "0"); got != id {
		return fmt.Errorf("id %s, want %s", got, id)
	}
	for ours, theirs := range map[string]string{"manufacturer": "Manufacturer", "version": "Version"} {
		if w := want[theirs]; w != nil && tags[ours] != *w {
			return fmt.Errorf("%s %s, want %s", ours, tags[ours], *w)
		}
	}
	medium := map[string]string{
		"Heat: Outlet": "heat", "Heat: Inlet": "heat, inlet", "Warm water (30-90°C)": "warm water", "Heat": "heat",
		"Heat / Cooling load meter": "heat and cooling", "Breaker: Electricity": "breaker",
		"Electricity": "electricity", "Gas": "gas", "Water": "water", "Other": "other",
	}[*want["Medium"]]
	if tags["medium"] != medium {
		return fmt.Errorf("medium %s, want %s", tags["medium"], *want["Medium"])
	}
	status, err := strconv.ParseUint(*want["Status"], 16, 8)
	if m := r.Metrics[0]; err != nil || m.Name != "status" || m.Value != protocol.Uint(status) {
		return fmt.Errorf("status %v, want %s", m.Value, *want["Status"])
	}
	return nil
}

// mbusCorrected are records, by case and place, whose value libmbus gets wrong,
// and what it is; "" for none.
var mbusCorrected = map[string]map[int]string{
	// BCD digits beyond 9, of which libmbus computes a number. The standard says
	// that such a value is invalid.
	"mbus/frame-els-elster-f96-plus": {4: "", 5: ""},
	// A VIFE says that these are the dates of the maxima; libmbus takes the bytes
	// of a date for a number. The first two are none. The last one has the year
	// 127, which is every year; libmbus makes 2027 of it.
	"mbus/frame-landis-gyr-ultraheat-t230": {19: "", 20: "", 21: "2011-08-26T20:50:00", 22: "2011-08-09T11:43:00", 32: ""},
}

// mbusRecords compares the records in their order.
func mbusRecords(id string, got []protocol.Metric, want []mbusRecord) error {
	for i, w := range want {
		if right, ok := mbusCorrected[id][i]; ok {
			w.Value = &right
		}
		if w.Function == "" && len(got) > 0 && strings.HasPrefix(got[0].Name, "vif_") {
			got = got[1:] // libmbus says nothing of a VIF that it does not know
			continue
		}
		if w.missing() {
			continue
		}
		if len(got) == 0 {
			return fmt.Errorf("record %d: nothing, want %s", i, w)
		}
		if err := w.compare(got[0]); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		got = got[1:]
	}
	if len(got) > 0 {
		return fmt.Errorf("%d metrics more than records, the first is %s = %v", len(got), got[0].Name, got[0].Value)
	}
	return nil
}

func (w mbusRecord) String() string { b, _ := json.Marshal(w); return string(b) }

// missing reports whether the record has no value: nothing behind the end of
// the records, a blank text, or a date that is none.
func (w mbusRecord) missing() bool {
	return w.Value == nil || strings.TrimSpace(*w.Value) == "" || strings.HasSuffix(*w.Value, "-00")
}

func (w mbusRecord) compare(m protocol.Metric) error {
	name, unit, scale := w.ours()
	if !regexp.MustCompile(`^` + name + `$`).MatchString(m.Name) {
		return fmt.Errorf("name %s, want %s for %s", m.Name, name, w)
	}
	if m.Value.Kind() == protocol.KindString {
		got := m.Value.Text()
		if w.Function == "Manufacturer specific" || w.Function == "More records follow" {
			got = strings.ToUpper(got)
			if got == strings.ReplaceAll(*w.Value, " ", "") {
				return nil
			}
		}
		if got != strings.TrimSuffix(*w.Value, "Z") {
			return fmt.Errorf("%s: text %q, want %s", m.Name, got, w)
		}
		return nil
	}
	if pulse, ok := strings.CutPrefix(m.Unit, unit+"/"); ok && strings.Contains(m.Name, "_per_") && pulse != "" {
		unit = m.Unit // libmbus does not tell what VIFEs put below the value
	}
	if m.Unit != unit {
		return fmt.Errorf("%s: unit %q, want %q for %s", m.Name, m.Unit, unit, w)
	}
	n, isNumber := m.Value.Number()
	x, err := strconv.ParseFloat(*w.Value, 64)
	// libmbus prints six decimals.
	if !isNumber || err != nil || math.Abs(n-x*scale) > 0.5000001e-6+1e-12*math.Abs(n) {
		return fmt.Errorf("%s: %v, want %s", m.Name, m.Value, w)
	}
	return nil
}

// ours returns the expression that our name has to match, our unit, and what to
// multiply their value with.
func (w mbusRecord) ours() (name, unit string, scale float64) {
	if w.Function == "Manufacturer specific" || w.Function == "More records follow" {
		return "manufacturer_data", "", 1
	}
	if w.Quantity == nil { // the fixed structure
		switch *w.Unit {
		case "kWh":
			return "energy", "Wh", 1000
		case "l":
			return "volume", "m³", 0.001
		}
		return "?", "", 1
	}
	unit = ""
	if w.Unit != nil {
		unit = *w.Unit
	}
	name, unit, _ = strings.Cut(mbusNames[*w.Quantity+"/"+unit], "/")
	name += mbusModifiers + map[string]string{
		"Instantaneous value": "", "Maximum value": "_max", "Minimum value": "_min", "Value during error state": "_error",
	}[w.Function]
	for _, place := range [][2]string{{"_storage_", w.StorageNumber}, {"_tariff_", w.Tariff}, {"_unit_", w.Device}} {
		if place[1] != "" && place[1] != "0" {
			name += place[0] + place[1]
		}
	}
	return name + `(_[0-9]{1,2})?`, unit, 1
}
