package serial

import (
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers/drivertest"
	"sluice/protocol"
	"sluice/protocol/frame"
)

// noted keeps the values and times of the readings that it takes.
type noted struct {
	values  []int
	times   []time.Time
	rejects []string
}

func (e *noted) Emit(b *protocol.Batch) bool {
	e.values = append(e.values, drivertest.Values(b.Readings)...)
	for _, r := range b.Readings {
		e.times = append(e.times, r.ReceivedTime.Time())
	}
	b.Done(nil)
	return true
}

func (e *noted) Reject(_, reason string) { e.rejects = append(e.rejects, reason) }

func (e *noted) Refuse() {}

// conversation lets a device speak to a reader of frames that end with a gap of
// 10 ms, and returns what it took.
func conversation(t *testing.T, speak func(device io.Writer)) *noted {
	t.Helper()
	c := testConfig("/dev/null")
	c.Frame.Idle = &frame.Idle{Gap: 10 * time.Millisecond, Max: 16}
	r, e := newReader(t, c, testDevice()), &noted{}
	device, port := net.Pipe()
	ended := make(chan error, 1) // read's result
	go func() {
		_, err := readAll(r, port, e)
		ended <- err
	}()
	speak(device)
	time.Sleep(time.Second) // of the bubble's clock
	_ = device.Close()
	if err := <-ended; err != io.EOF {
		t.Errorf("read gave %v", err)
	}
	_ = port.Close()
	return e
}

func TestQuietLineEndsFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		e := conversation(t, func(device io.Writer) {
			for _, say := range []struct {
				text string
				then time.Duration
			}{
				{"v=", 9 * time.Millisecond}, {"1", 11 * time.Millisecond},
				{"v=2", time.Hour},
				{"v=3456789012345678", 9 * time.Millisecond}, {"v=4", 11 * time.Millisecond},
				{"noise", 20 * time.Millisecond},
				{"v=5", 0},
			} {
				_, _ = io.WriteString(device, say.text)
				time.Sleep(say.then)
			}
		})
		if !slices.Equal(e.values, []int{1, 2, 5}) || !slices.Equal(e.rejects, []string{"too_long", "no_match"}) {
			t.Errorf("got %v, rejected %v", e.values, e.rejects)
		}
		if first := e.times[0].Sub(began); first != 9*time.Millisecond {
			t.Errorf("the first frame came %v after the start, want 9ms: the time of its last byte", first)
		}
	})
}

func TestQuietIsMeasuredAgainAfterAStall(t *testing.T) {
	at := time.Unix(1000, 0)
	q := quiet{gap: 20 * time.Millisecond}
	q.heard(at)
	if late := at.Add(35 * time.Millisecond); q.sure(late) {
		t.Error("sure of a gap that nobody watched")
	} else if !q.sure(late.Add(50 * time.Millisecond)) {
		t.Error("not sure after a second look")
	}
	q.heard(at)
	if !q.sure(at.Add(24*time.Millisecond)) || !q.from.IsZero() {
		t.Error("not sure of a gap that was watched")
	}
}

// counter counts reads, and is quiet.
type counter struct{ reads, deadlines int }

func (c *counter) Read([]byte) (int, error) {
	if c.reads++; c.reads > 1 {
		return 0, io.EOF
	}
	return 0, nil
}

func (c *counter) SetReadDeadline(time.Time) error { c.deadlines++; return nil }

func TestLinesNeedNoDeadline(t *testing.T) {
	from := &counter{}
	_, _ = readAll(newReader(t, testConfig("/dev/null"), testDevice()), from, &instant{})
	if from.deadlines != 0 {
		t.Errorf("%d deadlines were set", from.deadlines)
	}
}

func TestDamagedFramesAreCounted(t *testing.T) {
	c := testConfig("/dev/null")
	c.Frame.SLIP = &frame.SLIP{Max: 16, Checksum: &frame.Checksum{Name: "CRC-16/MODBUS"}}
	good := string(frame.Append(c.Frame, nil, []byte("v=7")))
	e := &noted{}
	_, _ = readAll(newReader(t, c, testDevice()), &pieces{good + "\xc0v=8ab\xc0" + good, "\xc0far too long a frame\xc0" + good}, e)
	if !slices.Equal(e.values, []int{7, 7, 7}) || !slices.Equal(e.rejects, []string{"checksum", "too_long"}) {
		t.Errorf("got %v, rejected %v", e.values, e.rejects)
	}
}
