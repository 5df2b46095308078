package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/pipeline"
	"sluice/protocol"
	"sluice/sink"
)

// TestDeadScripts runs the scripts that say how the commands for dead letters
// behave. They have a free address as $LISTEN, and a command to make
// dead letters.
func TestDeadScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/dead",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"fails": fails, "await": await, "bury": buryScript},
		Setup: func(env *testscript.Env) error {
			env.Setenv("LISTEN", freeAddress(t))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a second per command otherwise
			return nil
		},
	})
}

// buryScript is the command "bury DIR READINGS": a gateway accepts as many readings
// of s0 to s9. The sink hub rejects all for good, those of even value as "even".
func buryScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bury DIR READINGS")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(bury(ts.MkAbs(args[0]), n))
}

// rejecting is a sink that takes nothing for good.
type rejecting struct{}

func (rejecting) Write(_ context.Context, readings []protocol.Reading) error {
	var p sink.PartialError
	for i, r := range readings {
		reason := errors.New("odd value")
		if r.Metrics[0].Value.Int()%2 == 0 {
			reason = errors.New("even value")
		}
		p.Rejected = append(p.Rejected, sink.Rejection{Index: i, Err: reason})
	}
	return &p
}

func (rejecting) Close() error { return nil }

func bury(dir string, n int) error {
	c := pipeline.DefaultConfig()
	c.Dir, c.Drain = dir, time.Minute
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	hub := pipeline.Sink{Name: "hub", Sink: rejecting{}, Config: pipeline.DefaultDelivery()}
	p, err := pipeline.Open(c, []string{"floor"}, []pipeline.Sink{hub}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	kept := make(chan error, 1)
	p.Intake("floor").Emit(recordOf(0, n, func(err error) { kept <- err }))
	err = <-kept
	stop()
	return errors.Join(err, <-ended)
}
