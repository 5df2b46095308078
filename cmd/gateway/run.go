package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
)

func runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run [CONFIG]",
		Short: "Run the gateway until SIGINT or SIGTERM",
		Long: `Run the gateway. Brokers, servers and ports that are missing are waited for.

On SIGINT or SIGTERM it takes no more readings, gives the sinks pipeline.drain to
catch up and leaves the rest in the journal for the next start. A second signal
ends it at once; what was acknowledged is in the journal all the same.`,
		Example: "  gateway run\n  gateway run /etc/sluice/config.yaml",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := load(configPath(args), config.Options{})
			if err != nil {
				return err
			}
			log, err := newLogger(f.Log, cmd.ErrOrStderr())
			if err != nil {
				return usageError{err}
			}
			// A terminal that goes, or a reader of the log that does, is no
			// reason to stop taking readings.
			for _, w := range f.Warnings {
				log.Warn("configuration could be better", "at", fmt.Sprintf("%s:%d:%d", w.File, w.Line, w.Column), "what", w.Message)
			}
			signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
			return runGateway(cmd.Context(), f, log)
		},
	}
}

// runGateway runs the gateway of a configuration until ctx ends.
func runGateway(ctx context.Context, f *config.File, log *slog.Logger) error {
	listener, err := listen(f.HTTP) // first: it takes nothing over
	if err != nil {
		return err
	}
	g, err := assemble(f, log)
	if err != nil {
		if listener != nil {
			listener.Close()
		}
		return err
	}
	var beside []func(context.Context)
	if control, err := openControl(f.Pipeline.Dir, g); err != nil {
		log.Error("gateway takes no commands while it runs", "err", err)
	} else {
		beside = append(beside, control.run)
	}
	serveCtx, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	var serving sync.WaitGroup
	if listener != nil {
		serving.Go(func() { newServer(f.HTTP, g).run(serveCtx, listener, log) })
	}
	log.Info("gateway runs", "gateway", g.name, "drivers", len(g.drivers), "sinks", len(f.Sinks), "version", version())
	err = g.run(ctx, beside...)
	stopServing()
	serving.Wait()
	g.sayGoodbye()
	return err
}

// run starts the pipeline, then the drivers and what is to run beside them. When
// ctx ends it waits for those, then stops the pipeline, which delivers what it can.
func (g *gateway) run(ctx context.Context, beside ...func(context.Context)) error {
	carry, stopCarrying := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCarrying()
	carried := make(chan error, 1) // sent to once, by the goroutine below
	go func() { carried <- g.pipeline.Run(carry) }()

	var running sync.WaitGroup
	for _, d := range g.drivers {
		running.Go(func() {
			drivers.Supervise(ctx, d.driver, g.pipeline.Intake(d.name), d.status, d.log, drivers.DefaultRestart())
		})
	}
	for _, run := range beside {
		running.Go(func() { run(ctx) })
	}
	running.Wait() // ctx has ended
	stopCarrying()
	return <-carried
}

// sayGoodbye logs what became of the readings.
func (g *gateway) sayGoodbye() {
	s := g.pipeline.Stats()
	for _, i := range s.Intakes {
		g.log.Info("driver has stopped", "driver", i.Driver, "received", i.Received, "journaled", i.Journaled,
			"rejected", i.Rejected, "duplicate", i.Duplicate, "refused", i.Refused, "dropped", i.Dropped)
	}
	for _, d := range s.Deliveries {
		g.log.Info("sink has stopped", "sink", d.Name, "delivered", d.Delivered, "in_journal", d.InJournal,
			"diverted", d.Diverted, "dead_lettered", d.DeadLettered, "evicted", d.Evicted.Total(), "damaged", d.Damaged)
	}
}

// newLogger returns the log that the configuration asks for.
func newLogger(c config.Log, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if c.Level != "" {
		if err := level.UnmarshalText([]byte(c.Level)); err != nil {
			return nil, fmt.Errorf("log.level: %w", err)
		}
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil
}
