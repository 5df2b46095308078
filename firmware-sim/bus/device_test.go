package bus

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var text = Options{Mode: Text, Line: "1200 7E1", Turnaround: 15 * time.Millisecond}

func addDevices(t *testing.T, b *Bus, devices ...Device) {
	t.Helper()
	for _, d := range devices {
		if err := b.AddDevice(d); err != nil {
			t.Fatal(err)
		}
	}
}

// tell writes a text and returns what comes until the line has been quiet.
func (r *rig) tell(s string) string {
	r.got = r.got[:0]
	r.write([]byte(s))
	return string(r.listen(time.Second))
}

// probe is a device as on an SDI-12 line, which numbers its measurements.
func probe(address uint8) Device {
	n := 0
	return Device{
		Unit: address,
		Answers: map[string]Speech{
			fmt.Sprintf("%dM!", address): Say(fmt.Sprintf("%d0012\r\n", address)),
			fmt.Sprintf("%dD0!", address): func(time.Time) []byte {
				n++
				return fmt.Appendf(nil, "%d+%d.5\r\n", address, n)
			},
		},
	}
}

func TestPolledDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		addDevices(t, r.Bus, probe(0), probe(1))
		for _, step := range [][2]string{
			{"0M!", "00012\r\n"}, {"1M!", "10012\r\n"}, {"0D0!", "0+1.5\r\n"}, {"1D0!", "1+1.5\r\n"}, {"0D0!", "0+2.5\r\n"},
			{"2M!", ""}, {"noise 1D0!", "1+2.5\r\n"}, {"1D", ""}, {"1D0!", "1+3.5\r\n"},
		} {
			if got := r.tell(step[0]); got != step[1] {
				t.Errorf("%q: %q, want %q", step[0], got, step[1])
			}
		}
		if s := r.Stats(); s.Requests != 7 || s.Answers != 7 || s.Skipped != 11 {
			t.Errorf("%+v", s)
		}
		if a := (*r.answers)[3]; a.Unit != 1 || string(a.Text) != "1+1.5\r\n" || len(*r.answers) != 7 {
			t.Errorf("%+v", *r.answers)
		}
		demand(t, r.Bus)
	})
}

func TestPolledDeviceTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		addDevices(t, r.Bus, probe(0))
		time.Sleep(time.Second)
		start := time.Now()
		r.tell("0M!")
		char := r.master.timing.char
		if took, want := r.quiet.Sub(start), 3*char+15*time.Millisecond+7*char; took != want {
			t.Errorf("it took %v, want %v", took, want)
		}
	})
}

func TestDeviceSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		d := probe(0)
		d.Wake, d.Awake = "\r\n", 3*time.Second
		addDevices(t, r.Bus, d)
		for _, step := range [][2]string{
			{"0M!", ""}, {"\r\n", ""}, {"0M!", "00012\r\n"}, {"0M!", "00012\r\n"}, {"\r\n0M!", "00012\r\n"},
		} {
			if got := r.tell(step[0]); got != step[1] {
				t.Errorf("%q: %q, want %q", step[0], got, step[1])
			}
		}
		time.Sleep(3 * time.Second)
		if got := r.tell("0M!"); got != "" || r.Stats().Unheard != 2 {
			t.Errorf("asleep it said %q, %+v", got, r.Stats())
		}
	})
}

func TestTalkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		for unit := range uint8(3) {
			addDevices(t, r.Bus, Device{Unit: unit, Talk: Say(fmt.Sprintf("$%d some words\r\n", unit)), Every: time.Second})
		}
		lift := r.Inject(Trouble{Fault: Silent, Units: []uint8{1}, Count: 3})
		got := string(r.listen(20*time.Second + time.Millisecond))
		for unit, want := range []int{20, 17, 20} {
			if n := strings.Count(got, fmt.Sprintf("$%d some words\r\n", unit)); n < want-1 || n > want+1 {
				t.Errorf("device %d talked %d times in 20 s", unit, n)
			}
		}
		lift()
		if k := r.Stats(); k.Answers < 55 || r.Injected(Silent, 1) != 3 || r.Injected(Collision) != 0 {
			t.Errorf("%+v", k)
		}
	})
}

// TestTalkerMeetsARequest has the two talk at once: both are lost, and nobody is
// to blame.
func TestTalkerMeetsARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		d := probe(0)
		d.Talk, d.Every = Say("a long text that takes its time\r\n"), time.Second
		addDevices(t, r.Bus, d)
		if p, err := r.read(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(p, err)
		}
		if got := r.tell("0M!"); strings.Contains(got, "00012") {
			t.Errorf("the device heard what came while it talked: %q", got)
		}
		if s := r.Stats(); s.Excused != 1 || r.Injected(Collision) == 0 {
			t.Errorf("%+v", s)
		}
		demand(t, r.Bus)
	})
}

func TestLongNoiseIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, Options{Mode: Text, Line: "115200"})
		addDevices(t, r.Bus, probe(0))
		r.write([]byte(strings.Repeat("x", 100_000)))
		time.Sleep(time.Minute)
		if got := r.tell("0M!"); got != "00012\r\n" {
			t.Errorf("%q", got)
		}
		if s := r.Stats(); s.Skipped != 100_000 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDamagedText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, text)
		addDevices(t, r.Bus, probe(0), Device{Unit: 9, Answers: map[string]Speech{"?": Say("!"), "nothing": Say("")}})
		r.Inject(Trouble{Fault: BadCRC})
		r.Inject(Trouble{Fault: Truncated, Units: []uint8{0}})
		if got := r.tell("0M!"); got == "00012\r\n" || len(got) > 6 {
			t.Errorf("%q", got)
		}
		if got := r.tell("?") + r.tell("nothing"); got != " " {
			t.Errorf("%q", got)
		}
		if err := r.Add(meter(1)); err == nil {
			t.Error("a slave on a text bus")
		}
		if err := r.AddDevice(probe(0)); err == nil {
			t.Error("the same device again")
		}
		if err := r.AddDevice(Device{Unit: 77, Talk: Say("")}); err == nil {
			t.Error("it talks all the time")
		}
	})
}
