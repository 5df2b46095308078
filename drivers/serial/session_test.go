package serial

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
	"sluice/firmware-sim/bus"
	"sluice/protocol/payload"
)

func TestSensorsAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := soil(time.Minute)
		w := wire(t, lineConfig(), []Device{deviceOf("soil-0", "0", p), deviceOf("soil-1", "1", p), deviceOf("soil-a", "a", p)},
			probe("0", 1), probe("1", 2), probe("a", 3))
		time.Sleep(3*time.Minute - time.Second)
		for _, name := range []string{"soil-0", "soil-1", "soil-a"} {
			if got := w.of(name); got != "1 2 3" {
				t.Errorf("%s reports %s", name, got)
			}
		}
		r := w.Readings()
		for i, at := range []time.Duration{0, 10 * time.Second, 20 * time.Second, time.Minute} {
			if late := r[i].ReceivedTime.Time().Sub(began) - at; late < time.Second || late > 2*time.Second {
				t.Errorf("reading %d came %v after its place", i, late)
			}
		}
		if s := w.driver.Stats(); s != (drivers.AskStats{Requests: 9}) || w.rejections() != "" {
			t.Errorf("%+v, %s", s, w.rejections())
		}
	})
}

func TestOneDeviceIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, lineConfig(), []Device{deviceOf("scale-1", "", weigher(time.Second, &payload.Ask{Request: "S\r\n"}))},
			bus.Device{Answers: map[string]bus.Speech{"S\r\n": counting("v=%d\r\n")}})
		time.Sleep(4500 * time.Millisecond)
		if got := w.of("scale-1"); got != "1 2 3 4 5" {
			t.Errorf("got %s", got)
		}
	})
}

func TestSleeperIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ask := &payload.Ask{Before: []payload.Prelude{{Send: "hex:00 00 00", Pause: 50 * time.Millisecond}}, Request: "R1\r"}
		w := wire(t, lineConfig(), []Device{deviceOf("level", "", weigher(10*time.Second, ask))},
			bus.Device{Answers: map[string]bus.Speech{"R1\r": counting("v=%d\r")}, Wake: "\x00\x00\x00", Awake: 100 * time.Millisecond})
		time.Sleep(25 * time.Second)
		if got := w.of("level"); got != "1 2 3" || w.rejections() != "" {
			t.Errorf("got %s, %s", got, w.rejections())
		}
	})
}

func TestTalkersAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := lineConfig()
		c.Unit = &Unit{Regex: `^(\w):`}
		p := weigher(0, nil)
		talker := func(unit uint8, name string, every time.Duration) bus.Device {
			return bus.Device{Unit: unit, Talk: counting(name + ":v=%d\r\n"), Every: every}
		}
		w := wire(t, c, []Device{deviceOf("a", "A", p), deviceOf("b", "B", p)},
			talker(1, "A", time.Second), talker(2, "B", 1300*time.Millisecond), talker(3, "C", 10*time.Second), talker(4, "?", 15*time.Second))
		time.Sleep(time.Minute)
		w.hangUp()
		said := map[uint8]int{}
		for _, a := range w.answers {
			said[a.Unit]++
		}
		got := map[string]int{}
		for _, r := range w.Readings() {
			got[r.Device.Name]++
		}
		if got["a"] != said[1] || got["b"] != said[2] || got["a"] < 59 || got["b"] < 45 {
			t.Errorf("said %v, got %v", said, got)
		}
		for r, n := range w.Rejected() {
			if r.Device != "" || r.Reason != "unknown_unit" || n != said[3]+said[4] || n < 8 {
				t.Errorf("%v is rejected %d times of %v", r, n, said)
			}
		}
	})
}

// TestTalkBetweenAnswers: on a line with a talker every frame of it is a reading,
// and every answer too that was not talked over.
func TestTalkBetweenAnswers(t *testing.T) {
	for name, unit := range map[string]*Unit{"by expect": nil, "by unit": {Regex: `^([#?])`}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := lineConfig()
				c.Unit = unit
				asked := deviceOf("asked", "", weigher(2*time.Second, &payload.Ask{
					Before:  []payload.Prelude{{Send: "M\r", Answer: true, Pause: 100 * time.Millisecond}},
					Request: "D\r", Expect: "#",
				}))
				talks := deviceOf("talks", "", weigher(0, nil))
				if unit != nil {
					asked.Unit, talks.Unit = "#", "?"
				}
				w := wire(t, c, []Device{talks, asked},
					bus.Device{Unit: 1, Talk: counting("?v=%d\r\n"), Every: 310 * time.Millisecond},
					bus.Device{Unit: 2, Answers: map[string]bus.Speech{"M\r": bus.Say("#ok\r\n"), "D\r": counting("#v=%d\r\n")}})
				time.Sleep(10 * time.Minute)
				w.hangUp()
				said := 0
				for _, a := range w.answers {
					if a.Unit == 1 && a.Sound() {
						said++
					}
				}
				if got := strings.Count(w.of("talks"), " ") + 1; got < said || said < 1500 {
					t.Errorf("of %d things that were said %d are readings", said, got)
				}
				if got := strings.Count(w.of("asked"), " ") + 1; got < 270 {
					t.Errorf("of 300 polls %d gave readings: %s", got, w.rejections())
				}
			})
		})
	}
}

// TestLateAnswers: of devices that answer alike a late answer is never taken for
// another one's.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := weigher(2*time.Second, &payload.Ask{Request: "#{unit}\r", Expect: ">", Timeout: 300 * time.Millisecond})
		w := wire(t, lineConfig(), []Device{deviceOf("m-01", "01", p), deviceOf("m-02", "02", p), deviceOf("m-03", "03", p)},
			bus.Device{Unit: 1, Answers: map[string]bus.Speech{"#01\r": bus.Say(">v=1\r")}},
			bus.Device{Unit: 2, Answers: map[string]bus.Speech{"#02\r": bus.Say(">v=2\r")}},
			bus.Device{Unit: 3, Answers: map[string]bus.Speech{"#03\r": bus.Say(">v=3\r")}})
		w.Inject(bus.Trouble{Fault: bus.Late, Units: []uint8{1, 2}, Chance: 0.3, Delay: 450 * time.Millisecond})
		time.Sleep(5 * time.Minute)
		for name, want := range map[string]string{"m-01": "1", "m-02": "2", "m-03": "3"} {
			got := w.of(name)
			if n := strings.Count(got, want); n < 100 || strings.Trim(got, want+" ") != "" {
				t.Errorf("%s reports %d times %s: %s", name, n, want, got)
			}
		}
		if w.Injected(bus.Late) < 50 {
			t.Errorf("%d answers were late", w.Injected(bus.Late))
		}
	})
}

// TestSilentAndDamagedAnswers: what fails is asked for again, and counted.
func TestSilentAndDamagedAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		trouble  bus.Trouble
		rejected string
		readings string
		stats    drivers.AskStats
	}{
		"silent once":    {bus.Trouble{Fault: bus.Silent, Count: 1}, "", "1 2 3", drivers.AskStats{Requests: 4, Retries: 1}},
		"silent twice":   {bus.Trouble{Fault: bus.Silent, Count: 2}, "m timeout 1", "1 2", drivers.AskStats{Requests: 4, Retries: 1}},
		"truncated":      {bus.Trouble{Fault: bus.Truncated, Count: 1}, "m checksum 1", "2 3 4", drivers.AskStats{Requests: 4, Retries: 1}},
		"noise":          {bus.Trouble{Fault: bus.NoiseBetween, Count: 1}, "m checksum 1", "1 2 3", drivers.AskStats{Requests: 3}},
		"too late twice": {bus.Trouble{Fault: bus.Late, Delay: 600 * time.Millisecond, Count: 2}, "m timeout 1", "3 4", drivers.AskStats{Requests: 4, Retries: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := weigher(4*time.Second, &payload.Ask{Request: "?\r", Expect: ">"})
				w := wire(t, lineConfig(), []Device{deviceOf("m", "", p)},
					bus.Device{Unit: 1, Answers: map[string]bus.Speech{"?\r": counting(">v=%d\r\n")}})
				w.Inject(test.trouble)
				time.Sleep(10 * time.Second)
				if got := w.of("m"); got != test.readings || w.rejections() != test.rejected || w.driver.Stats() != test.stats {
					t.Errorf("got %s, %s, %+v", got, w.rejections(), w.driver.Stats())
				}
			})
		})
	}
}

// TestSilentDeviceIsDemoted: the others keep their period.
func TestSilentDeviceIsDemoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := weigher(2*time.Second, &payload.Ask{Request: "#{unit}\r", Expect: "{unit}"})
		w := wire(t, lineConfig(), []Device{deviceOf("m-1", "1", p), deviceOf("m-2", "2", p)},
			bus.Device{Unit: 1, Answers: map[string]bus.Speech{"#1\r": counting("1v=%d\r")}},
			bus.Device{Unit: 2, Answers: map[string]bus.Speech{"#2\r": counting("2v=%d\r")}})
		lift := w.Inject(bus.Trouble{Fault: bus.Silent, Units: []uint8{2}})
		time.Sleep(5 * time.Minute)
		if s := w.driver.Stats(); s.Demoted != 1 || s.Retries != 3 || s.Requests > 150+6+10 {
			t.Errorf("%+v", s)
		}
		if n := len(w.Readings()); n != 150 {
			t.Errorf("%d readings of the device that answers, want 150", n)
		}
		lift()
		time.Sleep(32 * time.Second)
		if n := strings.Count(w.of("m-2"), " "); w.driver.Stats().Demoted != 0 || n < 1 {
			t.Errorf("%d readings after it answers again, %+v", n, w.driver.Stats())
		}
		time.Sleep(20 * time.Second)
		last := w.of("m-2")
		time.Sleep(20 * time.Second)
		if n := strings.Count(w.of("m-2"), " ") - strings.Count(last, " "); n != 10 {
			t.Errorf("%d readings in 20s, want its period of 2s again", n)
		}
	})
}
