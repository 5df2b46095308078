package bus

import (
	"errors"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMbpoll has a master that is not ours, mbpoll with libmodbus, read and write
// the simulated slaves.
func TestMbpoll(t *testing.T) {
	rtu := plugged(t, Options{Line: "115200 8N1", Turnaround: time.Millisecond})
	tcp, err := New(Options{Mode: TCP, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := tcp.Add(meter(1)); err != nil {
		t.Fatal(err)
	}
	run(t, tcp)
	host, port, _ := net.SplitHostPort(tcp.Path()) // New made it
	for name, of := range map[string]struct {
		bus *Bus
		way []string
	}{
		"rtu": {rtu, []string{"-m", "rtu", "-b", "115200", "-P", "none", rtu.Path()}},
		"tcp": {tcp, []string{"-m", "tcp", "-p", port, host}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, q := range mbpolls {
				out := mbpoll(t, of.way, q.flags, q.values...)
				for _, want := range q.want {
					if !strings.Contains(out, want) {
						t.Errorf("mbpoll %s %v: want %q in\n%s", q.flags, q.values, want, out)
					}
				}
			}
			if got := of.bus.Get(1, Holding, 100, 4); !slices.Equal(got, []uint16{70, 80, 90, 4}) {
				t.Errorf("the registers are %v", got)
			}
			if got := of.bus.Get(1, Coils, 10, 4); !slices.Equal(got, []uint16{0, 1, 1, 1}) {
				t.Errorf("the coils are %v", got)
			}
			demand(t, of.bus)
		})
	}
}

// mbpolls are what mbpoll is asked to do, one after the other, and what it says.
var mbpolls = []struct {
	flags  string
	values []string // to be written
	want   []string
}{
	{"-t 4 -r 100 -c 4", nil, []string{"[100]: \t1\n", "[101]: \t2\n", "[103]: \t4\n"}},
	{"-t 3 -r 0 -c 2", nil, []string{"[0]: \t7\n", "[1]: \t8\n"}},
	{"-t 0 -r 10 -c 9", nil, []string{"[10]: \t1\n", "[11]: \t0\n", "[18]: \t1\n"}},
	{"-t 1 -r 0 -c 2", nil, []string{"[0]: \t0\n", "[1]: \t1\n"}},
	{"-t 4 -r 5000 -c 1", nil, []string{"Illegal data address"}},
	{"-t 4 -r 100", []string{"70"}, []string{"Written 1 references"}},
	{"-t 4 -r 101", []string{"80", "90"}, []string{"Written 2 references"}},
	{"-t 0 -r 10", []string{"0"}, []string{"Written 1 references"}},
	{"-t 0 -r 11", []string{"1", "1"}, []string{"Written 2 references"}},
}

// mbpoll runs mbpoll once and returns what it says.
func mbpoll(t *testing.T, way []string, flags string, values ...string) string {
	t.Helper()
	args := append(append(strings.Fields("-1 -0 -o 5 -a 1 "+flags), way...), values...)
	out, err := exec.Command("mbpoll", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("start mbpoll: %v; scripts/test installs it", err)
	}
	return string(out) // how it went stands there too
}
