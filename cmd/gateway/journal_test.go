package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/pipeline"
	"sluice/protocol"
)

// TestJournalScripts runs the scripts that say how the journal commands behave.
// They have a free address as $LISTEN, and a command to make a journal.
func TestJournalScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/journal",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails": fails, "await": await, "fill": fillScript, "flip": flip,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("LISTEN", freeAddress(t))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second per command otherwise
			return nil
		},
	})
}

// fillScript is the command "fill DIR READINGS": a gateway accepts as many readings
// of s0 to s9, of which the sink history has taken all, and hub none.
func fillScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill DIR READINGS")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(fill(ts.MkAbs(args[0]), n))
}

// flip is the command "flip FILE OFFSET": a bit of that byte turns over.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	text[at] ^= 0x10
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o640))
}

// taking is a sink that takes what it is given, or nothing.
type taking bool

func (s taking) Write(context.Context, []protocol.Reading) error {
	if s {
		return nil
	}
	return errors.New("takes nothing")
}

func (taking) Close() error { return nil }

// perRecord is how many readings fill puts into a record.
const perRecord = 10

// fill makes a journal in dir as fillScript describes it: at 64 KiB per segment.
func fill(dir string, n int) error {
	c := pipeline.DefaultConfig()
	c.Dir, c.Segment, c.Drain, c.Durability, c.MaxSize = dir, 64<<10, 100*time.Millisecond, "os", 4<<30
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	var sinks []pipeline.Sink
	for name, takes := range map[string]taking{"history": true, "hub": false} {
		d := pipeline.DefaultDelivery()
		d.Start = "oldest"
		sinks = append(sinks, pipeline.Sink{Name: name, Sink: takes, Config: d})
	}
	p, err := pipeline.Open(c, []string{"floor"}, sinks, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	kept := make(chan error, 1)
	for i := 0; i < n && err == nil; i += perRecord {
		p.Intake("floor").Emit(recordOf(i, min(perRecord, n-i), func(err error) { kept <- err }))
		err = <-kept
	}
	stop()
	return errors.Join(err, <-ended)
}

var stations = func() (list [10]*protocol.Device) {
	for i := range list {
		list[i] = &protocol.Device{Name: fmt.Sprint("s", i), Profile: "climate", Driver: "floor"}
	}
	return list
}()

// recordOf holds n readings, the first of which has the value i.
func recordOf(i, n int, done func(error)) *protocol.Batch {
	b := &protocol.Batch{Done: done}
	for k := range n {
		r := b.Add()
		r.Device, r.ReceivedTime = stations[(i+k)%len(stations)], protocol.At(time.Now())
		r.Metrics = append(r.Metrics, protocol.Metric{Name: "t", Unit: "°C", Value: protocol.Int(int64(i + k))})
	}
	return b
}

func TestFillMakesSegments(t *testing.T) {
	dir := t.TempDir()
	if err := fill(dir, 20_000); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "journal", "*.seg"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d segments, %v", len(files), err)
	}
}
