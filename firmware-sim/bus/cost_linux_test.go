package bus

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/protocol/modbus"
)

// mastersOf names the ports that TestMasters polls, in a process of its own.
const mastersOf = "SLUICE_TEST_MASTERS"

// BenchmarkBuses gives the part of a core that 32 buses at 115200 8N1 take,
// without their masters: with nobody there, opened, and with 10 units each that
// are asked for 60 registers a second.
func BenchmarkBuses(b *testing.B) {
	for _, kind := range []string{"alone", "opened", "busy", "flat"} {
		b.Run(kind, func(b *testing.B) {
			paths := make([]string, 32)
			dir := b.TempDir()
			var all []*Bus
			for i := range paths {
				paths[i] = filepath.Join(dir, fmt.Sprint("port", i))
				n, err := New(Options{Line: "115200 8N1", Turnaround: 5 * time.Millisecond, Link: paths[i]})
				if err != nil {
					b.Fatal(err)
				}
				for unit := range uint8(10) {
					_ = n.Add(Slave{Unit: unit + 1, Holding: []Block{{0, make([]uint16, 60)}}})
				}
				run(b, n)
				all = append(all, n)
			}
			if kind != "alone" {
				end := masters(b, kind, paths)
				defer end()
			}
			time.Sleep(2 * time.Second)
			const span = 5 * time.Second
			for b.Loop() {
				before := cpu()
				time.Sleep(span)
				b.ReportMetric(100*float64(cpu()-before)/float64(span), "%core")
			}
			requests, violations := int64(0), int64(0)
			for _, n := range all {
				requests, violations = requests+n.Stats().Requests, violations+n.Stats().Violations
			}
			b.ReportMetric(float64(requests), "requests")
			b.ReportMetric(float64(violations), "violations")
		})
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// masters starts a process that polls the ports.
func masters(b *testing.B, kind string, paths []string) (end func()) {
	c := exec.Command(os.Args[0], "-test.run=^TestMasters$")
	c.Env = append(os.Environ(), mastersOf+"="+kind+" "+strings.Join(paths, " "))
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	return func() { _ = in.Close(); _ = c.Wait() }
}

// TestMasters is the other process of BenchmarkBuses; otherwise it does nothing.
func TestMasters(t *testing.T) {
	words := strings.Fields(os.Getenv(mastersOf))
	if len(words) == 0 {
		return
	}
	done := make(chan struct{}) // closed when the benchmark ends
	var all sync.WaitGroup
	for _, path := range words[1:] {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if words[0] != "opened" {
			all.Go(func() { poll(newMaster(t, f, fast), words[0] == "flat", done) })
		}
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it is closed
	close(done)
	all.Wait()
}

// poll asks 10 units in turn, each once a second, or as fast as it goes.
func poll(m *master, flat bool, done <-chan struct{}) {
	q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: 60}
	for n := 0; ; n++ {
		_, _ = m.ask(uint8(1+n%10), q)
		pause := 100 * time.Millisecond
		if flat {
			pause = 0
		}
		select {
		case <-done:
			return
		case <-time.After(pause):
		}
	}
}
