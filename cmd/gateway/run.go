package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
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

Under systemd it says when it serves, how it is and, while no driver, sink or journal
hangs, that its watchdog may be content (Type=notify, WatchdogSec=).

On SIGINT or SIGTERM it takes no more readings, gives the sinks pipeline.drain to
catch up and leaves the rest in the journal for the next start. A second signal
ends it at once; what was acknowledged is in the journal all the same.

On SIGHUP it takes over what the configuration says by then, as 'gateway reload'
has it do.`,
		Example: "  gateway run\n  gateway run /etc/sluice/config.yaml",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := load(configPath(args), config.Options{})
			if err != nil {
				return err
			}
			r := &reloader{path: configPath(args), file: f}
			if r.log, err = newLogger(f.Log, &r.level, cmd.ErrOrStderr()); err != nil {
				return usageError{err}
			}
			r.read = stampsOf(f.Files)
			logWarnings(r.log, f)
			// A reader of the log that goes is no reason to stop taking readings.
			signal.Ignore(syscall.SIGPIPE)
			return runGateway(cmd.Context(), r)
		},
	}
}

// logWarnings logs what could be better in a configuration.
func logWarnings(log *slog.Logger, f *config.File) {
	for _, w := range f.Warnings {
		log.Warn("configuration could be better", "at", fmt.Sprintf("%s:%d:%d", w.File, w.Line, w.Column), "what", w.Message)
	}
}

// runGateway runs the gateway of r's configuration until ctx ends.
func runGateway(ctx context.Context, r *reloader) error {
	f, log := r.file, r.log
	hangUps := make(chan os.Signal, 1) // sent to by the runtime, never closed; one says "look again"
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
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
	r.gateway, g.reloader = g, r
	beside := []func(context.Context){func(ctx context.Context) { r.run(ctx, hangUps) }}
	if control, err := openControl(f.Pipeline.Dir, g); err != nil {
		log.Error("gateway takes no commands while it runs", "err", err)
	} else {
		beside = append(beside, control.run)
	}
	notify, err := openNotifier(log)
	if err != nil {
		log.Warn("systemd does not hear how the gateway is", "err", err)
	}
	defer notify.close()
	r.notify = notify
	beside = append(beside, func(ctx context.Context) { notify.run(ctx, g, f.Pipeline.Drain) })
	serveCtx, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	var serving sync.WaitGroup
	if listener != nil {
		serving.Go(func() { newServer(f.HTTP, g).run(serveCtx, listener, log) })
	}
	log.Info("gateway runs", "gateway", g.name, "drivers", len(f.Drivers), "sinks", len(f.Sinks), "version", version())
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

	g.ctx = ctx
	for _, d := range g.parts() {
		g.start(d)
	}
	for _, run := range beside {
		g.running.Go(func() { run(ctx) })
	}
	g.running.Wait() // ctx has ended
	stopCarrying()
	return <-carried
}

// start runs a driver until its stop is called, or run ends.
func (g *gateway) start(d *driver) {
	ctx, cancel := context.WithCancel(g.ctx)
	ended := make(chan struct{}) // closed when the driver has ended
	d.stop = func() {
		cancel()
		<-ended
	}
	g.running.Go(func() {
		defer close(ended)
		defer cancel()
		drivers.Supervise(ctx, d.driver, g.pipeline.Intake(d.name), d.status, d.log, drivers.DefaultRestart())
	})
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

// newLogger returns the log that the configuration asks for, with a level that can
// be changed.
func newLogger(c config.Log, level *slog.LevelVar, w io.Writer) (*slog.Logger, error) {
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
