package bus

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol/modbus"
)

// good is the answer to read2 of unit 1.
var good = modbus.AppendRTU(nil, 1, []byte{3, 4, 0, 1, 0, 2})

func TestFaults(t *testing.T) {
	for _, step := range []struct {
		trouble Trouble
		right   func(got, request []byte) bool
		sound   bool
	}{
		{Trouble{Fault: Silent}, func(got, _ []byte) bool { return len(got) == 0 }, false},
		{Trouble{Fault: WrongUnit}, func(got, _ []byte) bool {
			f, err := modbus.ParseRTU(got)
			return err == nil && f.Unit != 1 && f.Unit <= 247 && len(got) == len(good)
		}, false},
		{Trouble{Fault: BadCRC}, func(got, _ []byte) bool {
			_, err := modbus.ParseRTU(got)
			return errors.Is(err, modbus.ErrChecksum) && len(got) == len(good)
		}, false},
		{Trouble{Fault: Truncated}, func(got, _ []byte) bool {
			return len(got) > 0 && len(got) < len(good) && bytes.HasPrefix(good, got)
		}, false},
		{Trouble{Fault: NoiseBefore}, func(got, _ []byte) bool { return len(got) > len(good) && bytes.HasSuffix(got, good) }, true},
		{Trouble{Fault: NoiseAfter}, func(got, _ []byte) bool { return len(got) > len(good) && bytes.HasPrefix(got, good) }, true},
		{Trouble{Fault: NoiseBetween}, func(got, _ []byte) bool { return len(got) > len(good) && bytes.HasPrefix(got, good) }, true},
		{Trouble{Fault: Pause}, func(got, _ []byte) bool { return bytes.Equal(got, good) }, true},
		{Trouble{Fault: Late, Delay: time.Second}, func(got, _ []byte) bool { return bytes.Equal(got, good) }, true},
		{Trouble{Fault: Echo}, func(got, request []byte) bool { return bytes.Equal(got, append(request, good...)) }, true},
		{Trouble{Fault: Refused, Code: modbus.Acknowledge}, func(got, _ []byte) bool {
			return bytes.Equal(got, modbus.AppendRTU(nil, 1, []byte{0x83, 5}))
		}, false},
	} {
		t.Run(step.trouble.Fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := play(t, fast, meter(1), meter(2))
				step.trouble.Units = []uint8{1}
				lift := r.Inject(step.trouble)
				request, _ := read2.Append(nil)
				request = modbus.AppendRTU(nil, 1, request)
				for range 50 {
					r.post(1, read2)
					if got := r.listen(2 * time.Second); !step.right(got, slices.Clone(request)) {
						t.Errorf("the master got % x", got)
					}
				}
				if n := r.Injected(step.trouble.Fault); n != 50 || r.Injected(step.trouble.Fault, 1) != 50 {
					t.Errorf("%d counted, want 50", n)
				}
				for _, a := range *r.answers {
					if a.Sound() != step.sound || !a.Faults.Has(step.trouble.Fault) && step.trouble.Fault != Echo && step.trouble.Fault != NoiseBetween {
						t.Errorf("ledger has %+v", a)
					}
				}
				if _, err := r.ask(2, read2); err != nil {
					t.Errorf("another unit: %v", err)
				}
				lift()
				if _, err := r.ask(1, read2); err != nil {
					t.Errorf("once it is lifted: %v", err)
				}
				demand(t, r.Bus)
			})
		})
	}
}

func TestFaultsOfOtherModes(t *testing.T) {
	for _, mode := range []Mode{ASCII, TCP} {
		synctest.Test(t, func(t *testing.T) {
			o := fast
			o.Mode = mode
			r := play(t, o, meter(1))
			harmless := Faults(1<<NoiseBefore | 1<<NoiseAfter | 1<<NoiseBetween | 1<<Pause)
			if mode == TCP {
				harmless |= 1<<Echo | 1<<Babble
			}
			for f := range Collision {
				lift := r.Inject(Trouble{Fault: f})
				if _, err := r.ask(1, read2); (err == nil) != harmless.Has(f) && f != Echo {
					t.Errorf("%v, %v: %v", mode, f, err)
				}
				lift()
				r.listen(5 * time.Second)
				r.stream.Reset()
				if _, err := r.ask(1, read2); err != nil {
					t.Errorf("%v, after %v: %v", mode, f, err)
				}
			}
			demand(t, r.Bus)
		})
	}
}

func TestSilentUnitDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, fast, meter(1))
		r.Inject(Trouble{Fault: Silent, Count: 1})
		set := modbus.Request{Function: 6, Address: 100, Value: 55}
		if _, err := r.ask(1, set); !timedOut(err) || r.Get(1, Holding, 100, 1)[0] != 1 {
			t.Errorf("%v, and it has %v", err, r.Get(1, Holding, 100, 1))
		}
		if _, err := r.ask(1, set); err != nil || r.Get(1, Holding, 100, 1)[0] != 55 {
			t.Errorf("after one time: %v", err)
		}
	})
}

// TestLateReplyMeetsTheNextRequest has a reply come while the next request is on
// the line: the master is not to blame.
func TestLateReplyMeetsTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, slow, meter(1), meter(2))
		r.Inject(Trouble{Fault: Late, Units: []uint8{1}, Delay: 100*time.Millisecond - 30*time.Millisecond})
		r.timeout = 100 * time.Millisecond
		for range 30 {
			if _, err := r.ask(1, read2); err == nil {
				t.Error("a late reply came in time")
			}
			r.stream.Reset()
			_, _ = r.ask(2, read2)
			r.listen(time.Second)
		}
		if s := r.Stats(); s.Excused == 0 || s.Excused != int64(len(r.Excused())) || r.Injected(Late, 1) != 30 {
			t.Errorf("%+v", s)
		}
		demand(t, r.Bus)
	})
}

func TestBabble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, slow, meter(1))
		lift := r.Inject(Trouble{Fault: Babble})
		if got := r.listen(time.Second); len(got) < 850 || len(got) > 875 {
			t.Errorf("%d bytes in a second", len(got))
		}
		if _, err := r.ask(1, read2); err == nil {
			t.Error("an answer came through")
		}
		lift()
		r.listen(time.Second)
		r.stream.Reset()
		if _, err := r.ask(1, read2); err != nil {
			t.Error(err)
		}
		if s := r.Stats(); s.Excused == 0 || r.Injected(Babble) < 20 {
			t.Errorf("%+v", s)
		}
		demand(t, r.Bus)
	})
}

// TestSameSeedSameBytes plays twice with every fault.
func TestSameSeedSameBytes(t *testing.T) {
	var first []byte
	for i, seed := range []uint64{7, 7, 8} {
		synctest.Test(t, func(t *testing.T) {
			o := fast
			o.Seed, o.Jitter = seed, 3*time.Millisecond
			r := play(t, o, meter(1))
			for f := range Babble {
				r.Inject(Trouble{Fault: f, Chance: 0.2})
			}
			var all []byte
			for range 100 {
				r.post(1, read2)
				all = append(all, r.listen(3*time.Second)...)
			}
			if i == 0 {
				first = all
			}
			if bytes.Equal(all, first) != (seed == 7) {
				t.Errorf("seed %d: %d bytes, the first had %d", seed, len(all), len(first))
			}
			demand(t, r.Bus)
		})
	}
}
