package fleet

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/ledger"
)

// askedLine returns the model of a serial line: a driver's settings, a profile and
// the row's unit.
func askedLine(t *testing.T, driver, profile, unit string) (*Model, error) {
	t.Helper()
	f, err := config.Parse("config.yaml", []byte(`
gateway: plant-7
drivers: {line: {serial: {port: /dev/ttyUSB0, line: 9600 8N1`+driver+`}}}
profiles: {sensor: {poll: 1s, `+profile+`}}
devices: [{via: line, profile: sensor, device: "s-{unit}", unit: "`+unit+`"}]
pipeline: {dir: data}
sinks: {archive: {file: {path: out.json}}}
`), config.Options{Secrets: config.Skip})
	if err != nil {
		t.Fatal(err)
	}
	return FromConfig(f, Options{Seed: 3})
}

func TestAnswersAreWhatTheDriverExpects(t *testing.T) {
	const weight = `decode: {regex: '(?P<w>-?[0-9.]+) kg'}, metrics: {w: {type: float}}`
	const rain = `decode: {regex: '^#\d+ R=(?P<r>[0-9]+)'}, metrics: {r: {type: int}}`
	for name, c := range map[string]struct{ driver, profile, unit, want string }{
		"led by expect":            {"", weight + `, ask: {request: "{unit}W", expect: "{unit}:"}`, "01", `^01:.* kg\r\n$`},
		"nothing expected":         {"", `decode: json, metrics: {t: {}}, ask: {request: "R{unit}"}`, "01", `^\{.*"t".*\}\r\n$`},
		"the unit at a place":      {`, unit: {at: 1, length: 2}`, rain + `, ask: {request: "R{unit}"}`, "07", `^#07 R=`},
		"the unit by a regex":      {`, unit: {regex: '^#(\d+)'}`, rain + `, ask: {request: "R{unit}"}`, "12", `^#12 R=`},
		"a unit that is read over": {"", rain + `, ask: {request: "R{unit}", expect: "#{unit} "}`, "12", `^#12 R=`},
		"a frame":                  {`, frame: {delimited: {start: "hex:02", end: "hex:03"}}`, weight + `, ask: {request: "{unit}W", expect: "{unit}"}`, "5", `^\x025.* kg\x03$`},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := askedLine(t, c.driver, c.profile, c.unit)
			if err != nil {
				t.Fatal(err)
			}
			a := m.buses[0].members[0].(*asked)
			for range 20 {
				text := a.answer(time.Now())
				if !regexp.MustCompile("(?s)" + c.want).Match(text) {
					t.Fatalf("answer %q, want %s", text, c.want)
				}
				if again := a.answer(time.Now()); string(again) != string(text) {
					t.Fatalf("asked again it says %q, before %q", again, text)
				}
				a.answered(&Fleet{}, &bus.Answer{At: time.Now()})
			}
		})
	}
}

func TestAskedDevicesThatCannotBeSimulated(t *testing.T) {
	for want, c := range map[string]struct{ driver, profile, unit string }{
		"decode sdi12 is not known":                           {"", `decode: sdi12, ask: {request: "{unit}D0!", expect: "{unit}"}`, "1"},
		`an answer to ask.request "R{unit}" with decode json`: {"", `decode: json, metrics: {t: {}}, ask: {request: "R{unit}", expect: "{unit}:"}`, "1"},
		`what s-11 is asked, "R11"`:                           {"", `decode: json, metrics: {t: {}}, ask: {request: "R{unit}"}`, "1, 11"},
	} {
		m, err := askedLine(t, c.driver, c.profile, c.unit)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			continue
		}
		if len(m.Notes()) != 1 || !strings.Contains(m.Notes()[0], want) {
			t.Errorf("got %q, want %s", m.Notes(), want)
		}
	}
}

// TestPreludesAreNoReadings has a device greeted, which answers that too.
func TestPreludesAreNoReadings(t *testing.T) {
	m, err := askedLine(t, "", `decode: {regex: '(?P<w>-?[0-9.]+) kg'}, metrics: {w: {type: float}},
  ask: {before: [{send: "WAKE"}, {send: "{unit}M", answer: true}], request: "{unit}W", expect: "{unit}"}`, "1-2")
	if err != nil {
		t.Fatal(err)
	}
	l := ledger.New("sink")
	f := &Fleet{model: m, play: Play{Ledger: l}}
	f.introduce()
	a := m.buses[0].members[1].(*asked)
	now := time.Now()
	for n := range time.Duration(3) {
		if text := a.greet(now); !strings.HasPrefix(string(text), "2") {
			t.Errorf("it greets with %q", text)
		}
		a.answered(f, &bus.Answer{At: now.Add(n * time.Second)})
		a.answer(now)
		a.answered(f, &bus.Answer{At: now.Add(n * time.Second)})
	}
	a.settle(f)
	if sent, open := l.Totals(); sent != 3 || open != 0 {
		t.Errorf("%d readings were sent, %d of them unconfirmed, want 3 and 0", sent, open)
	}
}
