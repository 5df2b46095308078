package bus

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol/modbus"
)

var slow = Options{Line: "9600 8E1", Turnaround: 40 * time.Millisecond}

// kinds returns how many violations there are of each kind.
func kinds(all []Violation) (n [3]int) {
	for _, v := range all {
		n[v.Kind]++
	}
	return n
}

func TestArbiterFindsGaps(t *testing.T) {
	for _, line := range []string{"9600 8E1", "115200 8N1"} {
		synctest.Test(t, func(t *testing.T) {
			o := slow
			o.Line = line
			r := play(t, o, meter(1))
			gap := r.master.timing.gap
			for _, step := range []struct {
				silence time.Duration
				want    int
			}{{gap, 0}, {gap - 1, 1}, {gap + 1, 0}, {time.Microsecond, 1}, {0, 1}} {
				if _, err := r.ask(1, read2); err != nil {
					t.Fatal(err)
				}
				before := len(r.Violations())
				time.Sleep(step.silence)
				r.quiet = time.Time{} // the master's own care
				if _, err := r.ask(1, read2); err != nil {
					t.Fatal(err)
				}
				all := r.Violations()[before:]
				if len(all) != step.want || kinds(all)[Gap] != step.want || step.want == 1 && all[0].Gap != step.silence {
					t.Errorf("%s, a silence of %v: %v", line, step.silence, all)
				}
			}
		})
	}
}

func TestArbiterFindsGapAfterRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, slow, meter(1))
		pdu, _ := (&modbus.Request{Function: 6, Address: 100}).Append(nil)
		p := modbus.AppendRTU(nil, 0, pdu)
		r.write(append(p, p...)) // two broadcasts in one write
		r.listen(time.Second)
		if k := kinds(r.Violations()); k != [3]int{Gap: 1} || r.Stats().Broadcasts != 2 {
			t.Errorf("%v, %+v", r.Violations(), r.Stats())
		}
	})
}

func TestArbiterFindsOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, slow, meter(1))
		char := r.master.timing.char
		r.post(1, read2)
		r.listen(8*char + 40*time.Millisecond + 3*char) // into the answer
		p := modbus.AppendRTU(nil, 1, []byte{3, 0, 100, 0, 1})
		r.write(p)
		r.listen(time.Second)
		all := r.Violations()
		if k := kinds(all); k != [3]int{Overlap: 1} || all[0].First.Unit != 1 || !all[0].Second.Master || all[0].Gap >= 0 {
			t.Errorf("%v", all)
		}
		if s := r.Stats(); s.Requests != 1 || s.Violations != 1 || len(*r.answers) != 1 || (*r.answers)[0].Sound() {
			t.Errorf("%+v, %v", s, *r.answers)
		}
		if n := r.Injected(Collision); n != 2 {
			t.Errorf("%d collisions, want the request's and the answer's", n)
		}
		if _, err := r.ask(1, read2); err != nil {
			t.Errorf("after a collision: %v", err)
		}
	})
}

func TestArbiterFindsImpatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := meter(1)
		s.Turnaround = 300 * time.Millisecond
		r := play(t, slow, s, meter(2))
		r.timeout = 100 * time.Millisecond
		if _, err := r.ask(1, read2); !timedOut(err) {
			t.Fatal(err)
		}
		if _, err := r.ask(2, read2); err != nil {
			t.Fatal(err)
		}
		if k := kinds(r.Violations()); k != [3]int{Impatient: 1} {
			t.Errorf("%v", r.Violations())
		}
	})
}

// TestTwoMasters has a second master on the same line, which does not listen
// before it talks.
func TestTwoMasters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := play(t, slow, meter(1))
		near, far := net.Pipe()
		defer near.Close()
		serve(t, r.Bus, far)
		other := newMaster(t, near, slow)
		r.post(1, read2)
		time.Sleep(3 * time.Millisecond) // while the first request is on the line
		other.write(modbus.AppendRTU(nil, 1, []byte{3, 0, 100, 0, 1}))
		r.listen(time.Second)
		if all := r.Violations(); kinds(all) != [3]int{Overlap: 1} || !all[0].First.Master || !all[0].Second.Master {
			t.Errorf("%v", all)
		}
	})
}

// TestCarefulMasterIsNotBlamed asks many units in turn, some of them silent.
func TestCarefulMasterIsNotBlamed(t *testing.T) {
	for _, o := range []Options{slow, fast, {Mode: ASCII, Line: "19200 7E1", Jitter: 9 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			r := play(t, o, meter(1), meter(2), meter(3))
			r.Inject(Trouble{Fault: Silent, Units: []uint8{2}, Chance: 0.5})
			r.Inject(Trouble{Fault: Truncated, Units: []uint8{3}, Chance: 0.3})
			r.timeout = 200 * time.Millisecond
			misses := int64(0)
			for range 100 {
				for unit := range uint8(4) {
					if _, err := r.ask(unit+1, read2); err != nil {
						misses++
					}
				}
			}
			want := r.Injected(Silent) + r.Injected(Truncated, 3) + r.Stats().Unheard
			if misses != want || r.Stats().Unheard != 100 || r.Injected(Silent, 1, 3) != 0 {
				t.Errorf("%d misses, the bus injected %d", misses, want)
			}
			if n := len(r.Trace()); n != 512 {
				t.Errorf("%d intervals in the trace", n)
			}
			demand(t, r.Bus)
		})
	}
}
