package serial

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
	"sluice/firmware-sim/bus"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// tellable is a scale that is asked and can be told something.
func tellable() *payload.Profile {
	p := weigher(time.Second, &payload.Ask{Request: "S\r\n", Expect: "S "})
	p.Commands = map[string]payload.Command{
		"tare":    {Request: "T\r\n", Expect: "T S", Timeout: 2 * time.Second},
		"display": {Request: "D \"{value}\"\r\n", Expect: "D A"},
		"beep":    {Request: "hex:07"},
		"limit":   {Metric: payload.Metric{Range: []float64{0, 100}}, Request: "L{value}\r\n", Expect: "L"},
		"publish": {Topic: "x/y"},
	}
	return p
}

func scale() bus.Device {
	return bus.Device{Unit: 1, Answers: map[string]bus.Speech{
		"S\r\n":           counting("S v=%d\r\n"),
		"T\r\n":           bus.Say("T S\r\n"),
		"D \"hello\"\r\n": bus.Say("D A\r\n"),
		"L40\r\n":         bus.Say("L 40 kg\r\n"),
	}}
}

func TestCommands(t *testing.T) {
	for name, test := range map[string]struct {
		command drivers.Command
		want    protocol.Value
		err     string
	}{
		"reply":      {drivers.Command{Name: "tare"}, protocol.String("T S"), ""},
		"value":      {drivers.Command{Name: "display", Value: "hello"}, protocol.String("D A"), ""},
		"number":     {drivers.Command{Name: "limit", Value: "40"}, protocol.String("L 40 kg"), ""},
		"no reply":   {drivers.Command{Name: "beep"}, protocol.Value{}, ""},
		"refused":    {drivers.Command{Name: "display", Value: "moon"}, protocol.Value{}, "tell scale-1 to display: no answer came"},
		"no value":   {drivers.Command{Name: "display"}, protocol.Value{}, "command was not sent: display wants a value: a text"},
		"range":      {drivers.Command{Name: "limit", Value: "400"}, protocol.Value{}, "command was not sent: "},
		"line break": {drivers.Command{Name: "display", Value: "a\r\nT"}, protocol.Value{}, "command was not sent: "},
		"unknown":    {drivers.Command{Name: "zero"}, protocol.Value{}, "command was not sent: there is no such device or command: device scale-1 has no zero"},
		"topic":      {drivers.Command{Name: "publish"}, protocol.Value{}, "command was not sent: there is no such device or command: device scale-1 has no publish"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := wire(t, lineConfig(), []Device{deviceOf("scale-1", "", tellable())}, scale())
				time.Sleep(100 * time.Millisecond)
				a, err := w.driver.Command(t.Context(), "scale-1", test.command)
				if (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) || a.Value != test.want {
					t.Errorf("got %v, %v", a.Value, err)
				}
				if unsent := errors.Is(err, drivers.ErrUnsent); unsent != strings.HasPrefix(test.err, "command was not sent") {
					t.Errorf("unsent is %v of %v", unsent, err)
				}
				time.Sleep(10 * time.Second)
				if got := w.of("scale-1"); !strings.HasPrefix(got, "1 2 3 4 5") || w.rejections() != "" {
					t.Errorf("polls gave %s, %s", got, w.rejections())
				}
			})
		})
	}
}

// TestCommandsGoFirst: commands that come all at once are done one after the
// other between two polls, as many as may wait, and the rest refused.
func TestCommandsGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, lineConfig(), []Device{deviceOf("scale-1", "", tellable())}, scale())
		time.Sleep(200 * time.Millisecond)
		const callers = 20
		results := make(chan error, callers) // one of each caller
		for range callers {
			go func() {
				_, err := w.driver.Command(t.Context(), "scale-1", drivers.Command{Name: "tare"})
				results <- err
			}()
		}
		done, full := 0, 0
		for range callers {
			switch err := <-results; {
			case err == nil:
				done++
			case errors.Is(err, drivers.ErrFull):
				full++
			default:
				t.Error(err)
			}
		}
		if done < maxOrders || done > maxOrders+1 || done+full != callers {
			t.Errorf("%d are done, %d found no room", done, full)
		}
	})
}

func TestCommandsWithoutALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := wire(t, lineConfig(), []Device{deviceOf("scale-1", "", tellable())}, scale())
		time.Sleep(200 * time.Millisecond)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := w.driver.Command(ended, "scale-1", drivers.Command{Name: "tare"}); !errors.Is(err, context.Canceled) {
			t.Errorf("of a caller who has gone: %v", err)
		}
		w.Inject(bus.Trouble{Fault: bus.Silent})
		result := make(chan error, 1) // what the command gives
		go func() {
			_, err := w.driver.Command(t.Context(), "scale-1", drivers.Command{Name: "tare"})
			result <- err
		}()
		time.Sleep(500 * time.Millisecond)
		w.hangUp()
		if err := <-result; err == nil || errors.Is(err, drivers.ErrUnsent) {
			t.Errorf("the line was lost behind a command: %v", err)
		}
		if _, err := w.driver.Command(t.Context(), "scale-1", drivers.Command{Name: "tare"}); !errors.Is(err, drivers.ErrOffline) {
			t.Errorf("without a line: %v", err)
		}
	})
}

// TestTalkerIsTold: a reply is found among what the device says by itself.
func TestTalkerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := tellable()
		p.Poll, p.Ask = 0, nil
		device := scale()
		device.Talk, device.Every = counting("v=%d\r\n"), 200*time.Millisecond
		w := wire(t, lineConfig(), []Device{deviceOf("scale-1", "", p)}, device)
		for range 20 {
			time.Sleep(333 * time.Millisecond)
			if a, err := w.driver.Command(t.Context(), "scale-1", drivers.Command{Name: "tare"}); err != nil && len(w.Excused()) == 0 || err == nil && a.Value.Text() != "T S" {
				t.Errorf("got %v, %v", a, err)
			}
		}
		if n := strings.Count(w.of("scale-1"), " "); n < 30 {
			t.Errorf("%d readings", n)
		}
	})
}

// TestCommandsUnderTrouble: whatever goes wrong on a line whose devices answer
// alike, no answer is taken for another device's, and nobody is talked over.
func TestCommandsUnderTrouble(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			p := weigher(2*time.Second, &payload.Ask{
				Before:  []payload.Prelude{{Send: "W{unit}\r", Answer: true, Pause: 30 * time.Millisecond}},
				Request: "#{unit}\r", Expect: ">", Timeout: 200 * time.Millisecond,
			})
			p.Commands = map[string]payload.Command{"set": {Request: "S{unit}\r", Expect: "!"}}
			var devices []Device
			var others []bus.Device
			for i, u := range []string{"1", "2", "3", "4"} {
				devices = append(devices, deviceOf("m-"+u, u, p))
				others = append(others, bus.Device{Unit: uint8(i), Answers: map[string]bus.Speech{
					"W" + u + "\r": bus.Say("ok\r"), "#" + u + "\r": bus.Say(">v=" + u + "\r"), "S" + u + "\r": bus.Say("!" + u + "\r"),
				}})
			}
			w, chance := wire(t, lineConfig(), devices, others...), rand.New(rand.NewPCG(seed, 1))
			for _, f := range []bus.Fault{bus.Silent, bus.Late, bus.Truncated, bus.NoiseBefore, bus.NoiseAfter, bus.NoiseBetween, bus.Pause} {
				w.Inject(bus.Trouble{Fault: f, Chance: 0.03, Delay: 150 * time.Millisecond})
			}
			for range 100 {
				time.Sleep(time.Duration(chance.Int64N(int64(3 * time.Second))))
				u := string(rune('1' + chance.IntN(4)))
				if a, err := w.driver.Command(t.Context(), "m-"+u, drivers.Command{Name: "set"}); err == nil && a.Value.Text() != "!"+u {
					t.Errorf("seed %d: told unit %s, got %v", seed, u, a.Value)
				}
			}
			for _, u := range []string{"1", "2", "3", "4"} {
				if got := w.of("m-" + u); strings.Trim(got, u+" ") != "" || strings.Count(got, u) < 60 {
					t.Errorf("seed %d: unit %s reports %d times: %s", seed, u, strings.Count(got, u), got)
				}
			}
		})
	}
}
