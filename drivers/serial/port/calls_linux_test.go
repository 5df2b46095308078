package port

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// table notes the calls that are made, in words. It answers as a device does
// that has what is not refused.
type table struct {
	made    []string
	refuse  map[uint]error // by request
	waiting []int32        // what TIOCOUTQ says, one after the other; then 0
	flags   int32          // of TIOCGSERIAL
	busy    int            // how often TIOCSERGETLSR says that bits are yet to leave
	during  func(call string)
}

var requests = map[uint]string{
	unix.TIOCSRS485: "TIOCSRS485", unix.TIOCMBIS: "TIOCMBIS", unix.TIOCMBIC: "TIOCMBIC",
	unix.TIOCOUTQ: "TIOCOUTQ", unix.TIOCSERGETLSR: "TIOCSERGETLSR", unix.TCSBRK: "TCSBRK",
	unix.TIOCGSERIAL: "TIOCGSERIAL", unix.TIOCSSERIAL: "TIOCSSERIAL",
}

func (c *table) note(request uint, text string) error {
	call := strings.TrimSpace(requests[request] + " " + text)
	c.made = append(c.made, call)
	if c.during != nil {
		c.during(call)
	}
	return c.refuse[request]
}

func (c *table) value(_ int, request uint, arg int) error { return c.note(request, fmt.Sprint(arg)) }

func (c *table) point(_ int, request uint, arg unsafe.Pointer) error {
	switch request {
	case unix.TIOCSRS485:
		r := (*rs485)(arg)
		return c.note(request, fmt.Sprintf("flags %#x, %d and %d ms", r.flags, r.before, r.after))
	case unix.TIOCMBIS, unix.TIOCMBIC:
		return c.note(request, map[int32]string{unix.TIOCM_RTS: "RTS", unix.TIOCM_DTR: "DTR"}[*(*int32)(arg)])
	case unix.TIOCGSERIAL:
		(*serialStruct)(arg).flags = c.flags
	case unix.TIOCSSERIAL:
		return c.note(request, fmt.Sprintf("flags %#x", (*serialStruct)(arg).flags))
	case unix.TIOCOUTQ:
		if len(c.waiting) > 0 {
			*(*int32)(arg), c.waiting = c.waiting[0], c.waiting[1:]
		}
	case unix.TIOCSERGETLSR:
		if c.busy--; c.busy < 0 {
			*(*int32)(arg) = transmitterEmpty
		}
	}
	return c.note(request, "")
}

// refusing returns a table that has none of the requests.
func refusing(err error, requests ...uint) *table {
	c := &table{refuse: map[uint]error{}}
	for _, r := range requests {
		c.refuse[r] = err
	}
	return c
}

// posing returns a pty's port that takes itself for a real one, with options as a
// table answers them.
func posing(t *testing.T, c *table, opts Options) (*Port, error) {
	t.Helper()
	p := openPort(t, newPty(t).Link(), "9600 8N1")
	p.pty, p.calls = false, c
	return p, p.control(func(fd int) error { return p.apply(fd, opts) })
}

func TestOptionsAreCalls(t *testing.T) {
	delays := func(mode string) RS485 {
		return RS485{Mode: mode, DelayBefore: time.Millisecond, DelayAfter: 2 * time.Millisecond}
	}
	for name, test := range map[string]struct {
		opts  Options
		calls *table
		made  []string
		lacks string
		err   error
	}{
		"nothing": {Options{}, &table{}, nil, "", nil},
		"keep":    {Options{DTR: "keep", RTS: "keep", RS485: RS485{Mode: "none"}}, &table{}, nil, "", nil},
		"lines":   {Options{DTR: "off", RTS: "on"}, &table{}, []string{"TIOCMBIC DTR", "TIOCMBIS RTS"}, "", nil},
		"no lines": {Options{DTR: "off", RTS: "on"}, refusing(unix.ENOTTY, unix.TIOCMBIC, unix.TIOCMBIS),
			[]string{"TIOCMBIC DTR", "TIOCMBIS RTS"}, "dtr: the port has no such line, rts: the port has no such line", nil},
		"lines of a device that is gone": {Options{DTR: "on"}, refusing(unix.EIO, unix.TIOCMBIS), []string{"TIOCMBIS DTR"}, "", unix.EIO},
		"kernel":                         {Options{RS485: delays("kernel")}, &table{}, []string{"TIOCSRS485 flags 0x3, 1 and 2 ms"}, "", nil},
		"kernel, all":                    {Options{RS485: RS485{Mode: "kernel", Invert: true, RxDuringTx: true}}, &table{}, []string{"TIOCSRS485 flags 0x15, 0 and 0 ms"}, "", nil},
		"no kernel":                      {Options{RS485: delays("kernel")}, refusing(unix.ENOTTY, unix.TIOCSRS485), []string{"TIOCSRS485 flags 0x3, 1 and 2 ms"}, "", unix.ENOTTY},
		"rts":                            {Options{RS485: delays("rts")}, &table{}, []string{"TIOCMBIC RTS"}, "", nil},
		"rts inverted":                   {Options{RS485: RS485{Mode: "rts", Invert: true}}, &table{}, []string{"TIOCMBIS RTS"}, "", nil},
		"no rts":                         {Options{RS485: delays("rts")}, refusing(unix.EINVAL, unix.TIOCMBIC), []string{"TIOCMBIC RTS"}, "", unix.EINVAL},
		"auto":                           {Options{RS485: delays("auto")}, &table{}, []string{"TIOCSRS485 flags 0x3, 1 and 2 ms"}, "", nil},
		"auto rts":                       {Options{RS485: delays("auto")}, refusing(unix.ENOTTY, unix.TIOCSRS485), []string{"TIOCSRS485 flags 0x3, 1 and 2 ms", "TIOCMBIC RTS"}, "", nil},
		"auto none": {Options{RS485: delays("auto")}, refusing(unix.ENOTTY, unix.TIOCSRS485, unix.TIOCMBIC),
			[]string{"TIOCSRS485 flags 0x3, 1 and 2 ms", "TIOCMBIC RTS"}, "rs485: neither the port's driver nor RTS turns the line round, which is left to the adapter", nil},
		"low latency":     {Options{LowLatency: true}, &table{flags: 1}, []string{"TIOCGSERIAL", "TIOCSSERIAL flags 0x2001"}, "", nil},
		"low already":     {Options{LowLatency: true}, &table{flags: asyncLowLatency}, []string{"TIOCGSERIAL"}, "", nil},
		"no such setting": {Options{LowLatency: true}, refusing(unix.ENOTTY, unix.TIOCGSERIAL), []string{"TIOCGSERIAL"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := posing(t, test.calls, test.opts)
			if !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if !slices.Equal(test.calls.made, test.made) {
				t.Errorf("made\n%q, want\n%q", test.calls.made, test.made)
			}
			if lacks := strings.Join(p.Lacks(), ", "); lacks != test.lacks {
				t.Errorf("lacks %q, want %q", lacks, test.lacks)
			}
		})
	}
}

func TestPtysDoWithout(t *testing.T) {
	for _, mode := range []string{"kernel", "rts", "auto"} {
		o := DefaultOptions()
		o.DTR, o.RS485.Mode = "off", mode
		device := newPty(t)
		p, err := Open(device.Link(), Line{9600, 8, None, 1}, o)
		if err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		if n, err := p.Write([]byte("x")); n != 1 || err != nil {
			t.Errorf("%s: Write gave %d, %v", mode, n, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRTSIsMovedAroundAWrite(t *testing.T) {
	c := &table{waiting: []int32{4, 1}, busy: 1}
	p, err := posing(t, c, Options{RS485: RS485{Mode: "rts", DelayBefore: time.Millisecond, DelayAfter: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	var at []time.Time
	c.made, c.during = nil, func(string) { at = append(at, time.Now()) }
	if n, err := p.Write([]byte("ping")); n != 4 || err != nil {
		t.Errorf("Write gave %d, %v", n, err)
	}
	want := []string{"TIOCMBIS RTS", "TIOCOUTQ", "TIOCOUTQ", "TIOCOUTQ", "TIOCSERGETLSR", "TIOCSERGETLSR", "TIOCMBIC RTS"}
	if !slices.Equal(c.made, want) {
		t.Fatalf("made %q, want %q", c.made, want)
	}
	if before, after := at[1].Sub(at[0]), at[6].Sub(at[5]); before < time.Millisecond || after < time.Millisecond {
		t.Errorf("delays are %v and %v, want 1ms at least", before, after)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if last := c.made[len(want):]; !slices.Equal(last, []string{"TIOCMBIC RTS"}) {
		t.Errorf("Close made %q, want RTS off", last)
	}
}

func TestRTSIsGivenBackWhenAWriteFails(t *testing.T) {
	c := &table{}
	p, err := posing(t, c, Options{RS485: RS485{Mode: "rts"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	c.made = nil
	if _, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write gave %v", err)
	}
	if want := []string{"TIOCMBIS RTS", "TIOCMBIC RTS"}; !slices.Equal(c.made, want) {
		t.Errorf("made %q, want %q", c.made, want)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	c.made = nil
	if _, err := p.Write([]byte("x")); !errors.Is(err, os.ErrClosed) || len(c.made) > 0 {
		t.Errorf("after Close Write gave %v and made %q", err, c.made)
	}
}

func TestDrain(t *testing.T) {
	for name, test := range map[string]struct {
		calls *table
		made  []string
		err   error
	}{
		"empty":           {&table{}, []string{"TIOCOUTQ", "TIOCSERGETLSR"}, nil},
		"by the kernel":   {refusing(unix.ENOTTY, unix.TIOCSERGETLSR), []string{"TIOCOUTQ", "TIOCSERGETLSR", "TCSBRK 1"}, nil},
		"full":            {&table{waiting: []int32{10, 10}}, []string{"TIOCOUTQ", "TIOCOUTQ", "TIOCOUTQ", "TIOCSERGETLSR"}, nil},
		"full for ever":   {&table{waiting: slices.Repeat([]int32{4000}, 1000)}, nil, os.ErrDeadlineExceeded},
		"never empty":     {&table{busy: 1 << 30}, nil, os.ErrDeadlineExceeded},
		"device is gone":  {refusing(unix.EIO, unix.TIOCOUTQ), []string{"TIOCOUTQ"}, ErrGone},
		"gone at the end": {refusing(unix.EIO, unix.TIOCSERGETLSR), []string{"TIOCOUTQ", "TIOCSERGETLSR"}, ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := posing(t, test.calls, Options{})
			if err != nil {
				t.Fatal(err)
			}
			limit := patience
			if test.made == nil {
				limit = 50 * time.Millisecond
			}
			if err := p.SetWriteDeadline(time.Now().Add(limit)); err != nil {
				t.Fatal(err)
			}
			if err := p.Drain(); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if test.made != nil && !slices.Equal(test.calls.made, test.made) {
				t.Errorf("made %q, want %q", test.calls.made, test.made)
			}
		})
	}
}

func TestLatencyTimer(t *testing.T) {
	timer := filepath.Join(t.TempDir(), "latency_timer")
	if err := os.WriteFile(timer, []byte("16\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The driver says yes and does nothing: the file is written.
	if err := lowLatency(&table{}, 0, timer); err != nil {
		t.Error(err)
	}
	if now, err := milliseconds(timer); now != 1 || err != nil {
		t.Errorf("the timer is %d, %v, want 1", now, err)
	}
	const readOnly = "/proc/sys/kernel/ngroups_max" // a number that not even root may write
	err := lowLatency(refusing(unix.EPERM, unix.TIOCSSERIAL), 0, readOnly)
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "collects bytes for") {
		t.Errorf("got %v", err)
	}
}

func TestKernelStructs(t *testing.T) {
	if size := unsafe.Sizeof(rs485{}); size != 32 {
		t.Errorf("struct serial_rs485 has %d bytes, want 32", size)
	}
	want := map[uintptr]uintptr{8: 72, 4: 60}[unsafe.Sizeof(uintptr(0))]
	if size := unsafe.Sizeof(serialStruct{}); size != want {
		t.Errorf("struct serial_struct has %d bytes, want %d", size, want)
	}
}
