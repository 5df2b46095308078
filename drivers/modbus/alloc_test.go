//go:build !race

package modbus

import (
	"os"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// counting is an emitter that keeps nothing.
type counting struct{ metrics int }

func (c *counting) Emit(b *protocol.Batch) bool {
	for i := range b.Readings {
		c.metrics += len(b.Readings[i].Metrics)
	}
	b.Done(nil)
	return true
}

func TestPollAllocatesNothing(t *testing.T) {
	for name, c := range map[string]Config{"rtu": tcpConfig("rtu+tcp://h:1"), "tcp": tcpConfig("tcp://h")} {
		p := block(0, 60, time.Second)
		p.Metrics["text"] = payload.Metric{Type: "string", Register: payload.Register{Holding: ptr(60), Length: 8}}
		p.Metrics["float"] = payload.Metric{Type: "float32", Scale: ptr(0.1), Register: payload.Register{Holding: ptr(64)}}
		p.Metrics["coil"] = payload.Metric{Register: payload.Register{Coil: ptr(0)}}
		list := devices(p, 1)
		d, s := newDriver(t, c, list), newSlave(c, 1)
		s.units[1].registers[60], s.units[1].registers[65] = 'a'<<8|'b', 0x1234
		e := &counting{}
		b := d.newBus(&replay{frames: frames(s, 1, d.schedule.units[0].tasks[0].group)}, e)
		now := time.Now()
		b.schedule.begin(now)
		task := d.schedule.units[0].tasks[0]
		polls := testing.AllocsPerRun(100, func() {
			for range task.group.reads {
				if err := b.poll(t.Context(), task); err != nil {
					t.Fatal(err)
				}
			}
		})
		if polls >= 1 {
			t.Errorf("%s: a poll allocates %v times", name, polls)
		}
		if want := 101 * 63; e.metrics != want {
			t.Errorf("%s: got %d metrics, want %d", name, e.metrics, want)
		}
	}
}

// TestTurnAllocatesNothing lets the bus wait for the places of its polls.
func TestTurnAllocatesNothing(t *testing.T) {
	c := tcpConfig("rtu+tcp://h:1")
	d, s := newDriver(t, c, devices(block(0, 60, 10*time.Millisecond), 1)), newSlave(c, 1)
	e := &counting{}
	b := d.newBus(&replay{frames: frames(s, 1, d.schedule.units[0].tasks[0].group)}, e)
	b.schedule.begin(time.Now())
	turns := testing.AllocsPerRun(20, func() {
		for before := e.metrics; e.metrics == before; {
			if err := b.turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
	if turns >= 1 {
		t.Errorf("a turn allocates %v times", turns)
	}
}

// frames returns what a slave answers to the requests of a group.
func frames(s *slave, unit byte, g *group) [][]byte {
	var list [][]byte
	for _, r := range g.reads {
		answer := s.units[unit].do(&r.request)
		pdu, _ := answer.Append(nil)
		list = append(list, s.frame(unit, 0, pdu))
	}
	return list
}

// replay is a line on which each request has its answer at once.
type replay struct {
	frames [][]byte
	next   int
	sent   bool // the answer is there
}

func (r *replay) Write(p []byte) (int, error) {
	r.sent = true
	if f := r.frames[r.next]; f[2] == 0 && f[3] == 0 { // by TCP
		copy(f, p[:2])
	}
	return len(p), nil
}

func (r *replay) Read(p []byte) (int, error) {
	if !r.sent {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, r.frames[r.next])
	r.next, r.sent = (r.next+1)%len(r.frames), false
	return n, nil
}

func (r *replay) Close() error { return nil }

func (r *replay) SetReadDeadline(time.Time) error { return nil }

func (r *replay) SetWriteDeadline(time.Time) error { return nil }

func BenchmarkPoll(b *testing.B) {
	p := &payload.Profile{Poll: time.Second, Metrics: map[string]payload.Metric{}}
	for i := range 62 {
		p.Metrics[name(i)] = holding(2*i, "float32")
	}
	c := tcpConfig("tcp://h")
	d, s := newDriver(b, c, devices(p, 1)), newSlave(c, 1)
	for i := range 124 {
		s.units[1].registers[i] = 0x4148 + uint16(i)
	}
	task := d.schedule.units[0].tasks[0]
	at := d.newBus(&replay{frames: frames(s, 1, task.group)}, &counting{})
	at.schedule.begin(time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if err := at.poll(b.Context(), task); err != nil {
			b.Fatal(err)
		}
	}
}
