package fleet

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/firmware-sim/bus"
	"sluice/firmware-sim/ledger"
	"sluice/protocol/payload"
)

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"silent:meter-3":             {Kind: "silent", Target: "meter-3"},
		"silent:meter-3@30s":         {Kind: "silent", Target: "meter-3", Start: 30 * time.Second},
		"unplug:meters@20s+500ms":    {Kind: "unplug", Target: "meters", Start: 20 * time.Second, Length: 500 * time.Millisecond},
		"bad_crc:meters+1m":          {Kind: "bad_crc", Target: "meters", Length: time.Minute},
		"late:a:b@home+garden@0s+2s": {Kind: "late", Target: "a:b@home+garden", Length: 2 * time.Second},
		"echo:a+b@0s+0s":             {Kind: "echo", Target: "a+b"},
	} {
		got, err := ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
		if again, err := ParseFault(got.String()); err != nil || again != got {
			t.Errorf("%s: reads back as %+v, %v", got, again, err)
		}
	}
	for text, want := range map[string]string{
		"meter-3":             "names nobody",
		"silent:":             "names nobody",
		"silnet:meter-3":      `"silnet" is no fault; did you mean "silent"?`,
		"badcrc:meter-3":      `did you mean "bad_crc"?`,
		"collision:meter-3":   "want one of silent, late, wrong_unit",
		"silent:meter-3@soon": "has @soon, want a time such as @30s",
		"silent:meter-3+5":    "has +5, want a time such as +30s",
		"silent:m@1s+-5s":     "has +-5s, want a time",
	} {
		if _, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestFaultKindsAreThoseOfTheBus makes sure that no fault of a bus is forgotten.
func TestFaultKindsAreThoseOfTheBus(t *testing.T) {
	for f := bus.Silent; f < bus.Collision; f++ {
		if !slices.ContainsFunc(kinds(), func(k kind) bool { return k.fault == f && k.name != unplug }) {
			t.Errorf("no kind makes %v", f)
		}
	}
	for _, name := range FaultKinds() {
		if !strings.Contains(FaultHelp, "  "+name+" ") {
			t.Errorf("the help does not explain %s", name)
		}
	}
}

// meters is a bus of two units that is played to nobody.
func meters(t *testing.T, mode bus.Mode) *Model {
	t.Helper()
	m := New(Options{Seed: 7})
	var units []Unit
	for i := range 2 {
		at := 0
		p := &payload.Profile{Poll: time.Second, Metrics: map[string]payload.Metric{
			"power": {Type: "float32", Register: payload.Register{Holding: &at}},
		}}
		units = append(units, Unit{Row{Number: 1, Name: fmt.Sprintf("meter-%d", i+1), Profile: "meter", Decode: p}, uint8(i + 1)})
	}
	b := Bus{Driver: "meters", Mode: mode, Line: "19200 8E1", Listen: mode == bus.TCP}
	if err := m.AddBus(b, units); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAddFaultsNamesMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"silent:metre-1":    `no device and no driver that is simulated is called "metre-1"; did you mean "meter-1"?`,
		"silent:meter":      `did you mean "meters", "meter-1" or "meter-2"?`,
		"unplug:meter-1":    "strikes all that is on a bus, want unplug:meters",
		"babble:meter-2":    "want babble:meters",
		"silent:meter-3@1s": "fault silent:meter-3@1s: no device",
		"echo:meters":       "there is none behind Modbus TCP",
	} {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := meters(t, bus.TCP).AddFaults(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	line := meters(t, bus.RTU)
	for _, name := range FaultKinds() {
		if err := line.AddFaults(Fault{Kind: name, Target: "meters"}); err != nil {
			t.Error(err)
		}
	}
}

func TestAUnitThatAFaultStrikesDoesNotCount(t *testing.T) {
	l := ledger.New("sink")
	f, ask, end := plant(t, l, Fault{Kind: "exception", Target: "one"})
	for got := byte(0); got != 0x83; { // from when the fault strikes
		got = ask(1, holdings)[0]
	}
	ask(2, holdings)
	ask(2, coils)
	end()
	if v := l.Verdict("sink"); v.Lost != 1 {
		t.Errorf("what the other unit answered does not count: %+v", v)
	}
	if c := f.BusCounts(); len(c) != 1 || c[0].Driver != "plc" || c[0].Struck["exception"] < 1 || c[0].Requests < 3 || c[0].Answers < 3 || c[0].Violations != 0 {
		t.Errorf("got %+v", c)
	}
}

// TestAFaultEnds has a unit counted again once it is asked as usual.
func TestAFaultEnds(t *testing.T) {
	m, l := meters(t, bus.TCP), ledger.New("sink")
	f := &Fleet{model: m, play: Play{Ledger: l}}
	f.introduce()
	u := m.buses[0].members[0].(*unit)
	u.begin()
	now := time.Now()
	answer := func(after time.Duration, faults bus.Faults) {
		u.answered(f, &bus.Answer{Unit: 1, Table: bus.Holding, Values: make([]uint16, 2), At: now.Add(after), Faults: faults})
	}
	answer(0, 0)
	u.strike(f, now.Add(2*time.Second))
	u.lift(now.Add(3 * time.Second))
	answer(3*time.Second, 0)         // its cause may lie in the fault
	answer(6*time.Second, 0)         // this one is on time, but what was before is not known
	answer(6100*time.Millisecond, 0) // it was not heard, or it was
	if n := l.Excused(); n != 3 {
		t.Errorf("%d readings do not count, want 3", n)
	}
	for s := range time.Duration(4) {
		answer((7+s)*time.Second, 0)
	}
	u.settle(f)
	sent, open := l.Totals()
	if n := l.Excused(); sent-n < 4 || open != n {
		t.Errorf("of %d readings %d are unconfirmed and %d do not count", sent, open, n)
	}
}

// TestAPollThatBrokeOffIsNotMixedUp has a master ask for the rest of a poll
// first, after a fault kept it from that.
func TestAPollThatBrokeOffIsNotMixedUp(t *testing.T) {
	l := ledger.New("sink")
	f, ask, end := plant(t, l)
	u := f.buses[0].model.members[0].(*unit)
	ask(1, holdings) // and nothing of the coil
	u.strike(f, time.Now())
	u.lift(time.Now())
	u.mu.Lock()
	u.groups[0].heard = time.Now().Add(-time.Minute)
	u.mu.Unlock()
	ask(1, coils) // the next poll begins with it
	if sent, _ := l.Totals(); sent != 0 {
		t.Errorf("two halves of different polls make %d readings", sent)
	}
	ask(1, holdings)
	end()
	if sent, _ := l.Totals(); sent != 1 {
		t.Errorf("%d readings were sent, want 1", sent)
	}
}

// TestUnplugTakesTheBusAway asks a bus that goes and comes.
func TestUnplugTakesTheBusAway(t *testing.T) {
	f, _, end := plant(t, nil, Fault{Kind: unplug, Target: "plc", Start: time.Hour})
	b := f.buses[0]
	one := &b.model.troubles[0]
	lift, err := b.begin(one)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.begin(one) // another fault at the same time
	if err != nil {
		t.Fatal(err)
	}
	if err := lift(); err != nil {
		t.Error(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	end()
	if n := f.BusCounts()[0].Struck[unplug]; n != 2 {
		t.Errorf("the bus was unplugged %d times, want 2", n)
	}
}
