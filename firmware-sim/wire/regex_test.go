package wire_test

import (
	"regexp"
	"strconv"
	"testing"

	"sluice/firmware-sim/wire"
	"sluice/protocol/payload"
)

// Lines of scales, receivers, meters and probes as operators describe them.
var expressions = []string{
	`^(?P<state>ST|US),GS,\s*(?P<weight>[-+]?[0-9.]+)\s*kg`,
	`^(?P<stable>[SD])\s+(?P<weight>-?\d+\.\d{2}) g$`,
	`^\x02(?P<sign>[ -])(?P<gross>\d{6})\s(?P<tare>\d{6})\x03$`,
	`^(?P<flag>ST|US|OL),(?P<mode>NT|GS),(?P<weight>[+-]\d{5}\.\d),(?P<unit>kg|lb)$`,
	`^(?:N|G)?\s*(?P<weight>[-+]?\d{1,3}(?:\.\d{1,3})?)\s*(?i:kg)\s*$`,
	`^\$GPGGA,(?P<fix_time>\d{6}(?:\.\d+)?),(?P<lat>\d{4}\.\d+),(?P<ns>[NS]),(?P<lon>\d{5}\.\d+),(?P<ew>[EW]),(?P<quality>[0-8]),(?P<sats>\d{2}),(?P<hdop>\d\.\d),(?P<alt>-?\d+\.\d),M,.*\*[0-9A-F]{2}$`,
	`^\$GPRMC,[^,]*,(?P<valid>[AV]),(?P<lat>[\d.]+),N,(?P<lon>[\d.]+),E,(?P<speed>[\d.]*),`,
	`^T=(?P<temperature>-?\d+(\.\d+)?)C\s+H=(?P<humidity>\d+(\.\d+)?)%`,
	`temp[: ]+(?P<temp>[-+]?[0-9]*\.?[0-9]+)`,
	`^(?P<addr>\d)\+(?P<a>\d+\.\d+)\+(?P<b>\d+\.\d+)-(?P<c>\d+\.\d+)$`,
	`^(?P<serial>\w{4,8});(?P<energy>\d{6}\.\d{3});(?P<status>0|1)$`,
	`^1-0:1\.8\.0\((?P<energy>\d{6}\.\d{3})\*kWh\)$`,
	`^#(?P<id>[0-9A-F]{4}) CO2 (?P<co2>\d{3,4})ppm (?P<label>"[^"]*")$`,
	`(?:A=(?P<a>\d+)|B=(?P<b>\d+);C=(?P<c>\d+))`,
	`^R(?P<range>\d{4})$`,
	`^(?P<v>.+)$`,
	`^(?P<ok>true|false) (?P<n>[1-9]\d*)$`,
}

func TestLinesForExpressions(t *testing.T) {
	for _, expr := range expressions {
		t.Run(expr, func(t *testing.T) {
			p := regexOf(expr, nil)
			form, err := wire.New("line", &p)
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, form, p, "")
		})
	}
}

func TestLinesWithTimes(t *testing.T) {
	for expr, format := range map[string]string{
		`^(?P<at>\d{10}),(?P<v>\d+)$`:           "unix",
		`^(?P<at>[\d.]+),(?P<v>\d+)$`:           "unix",
		`^(?P<at>\d{12}) (?P<v>\d+\.\d)$`:       "060102150405",
		`^\[(?P<at>[^\]]+)\] (?P<v>-?\d+)$`:     "rfc3339",
		`^(?P<at>\d{4}-\d\d-\S+Z) (?P<v>-?\d+)`: "rfc3339",
	} {
		p := timed(regexOf(expr, nil), "at", format)
		form, err := wire.New("line", &p)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, form, p, "")
	}
}

func TestTypedGroups(t *testing.T) {
	p := regexOf(`^(?P<on>0|1) (?P<raw>\d{5}) (?P<name>\w+) (?P<n>\d+)$`, map[string]payload.Metric{
		"on": {Type: "bool"}, "level": {Path: "raw", Scale: f64(0.01), Unit: "m"}, "name": {Type: "string"}, "n": {Type: "uint"},
	})
	form, err := wire.New("line", &p)
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, form, p, "")
}

// The texts of a number are checked against the expression, too.
func FuzzNumbersStayInTheirGroup(f *testing.F) {
	for i := range 8 {
		f.Add(uint8(i), uint8(i%4))
	}
	f.Fuzz(func(t *testing.T, whole, fraction uint8) {
		expr := `^(?P<v>\d{` + strconv.Itoa(int(whole%9)+1) + `}\.\d{` + strconv.Itoa(int(fraction%6)+1) + `})$`
		p := regexOf(expr, nil)
		form, err := wire.New("line", &p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := regexp.Compile(expr); err != nil {
			t.Fatal(err)
		}
		roundTrip(t, form, p, "")
	})
}
