package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/fleet"
	"sluice/firmware-sim/ledger"
)

// rehearsal is one run of an operator's configuration against simulated devices
// and servers.
type rehearsal struct {
	seed     uint64
	play     time.Duration
	rate     float64
	devices  int
	faults   fleet.Faults
	asJSON   bool
	patience time.Duration // for drivers to find their devices, and for the last readings to arrive when the devices have fallen silent

	stage   *stage
	gateway *gateway
	fleet   *fleet.Fleet
	ledger  *ledger.Ledger
	screen  *screen
	logged  slog.LevelVar // warnings too while the devices talk: before and after that buses and ports are away
	began   time.Time
	talked  time.Duration // how long the devices did
}

func rehearseCommand() *cobra.Command {
	r := &rehearsal{patience: patience}
	cmd := &cobra.Command{
		Use:   "rehearse [CONFIG]",
		Short: "Play a configuration through with simulated devices and servers",
		Long: `Rehearse takes a configuration as it is and plays it through on this machine: an
MQTT broker, a NATS server, an InfluxDB endpoint and serial ports stand in for
the real ones, and a fleet of simulated devices is made from the device list. The
gateway between them is wired as run wires it.

It reads no secret, connects to nothing but this machine, and keeps its journal
in a temporary folder; streams are created, and the intakes have room for all
that the broker may send. At the end it accounts for every reading that was sent.
Exit code 0: all of them arrived, once and unchanged; 1: not.

With --fault devices go wrong meanwhile. A device that a fault may strike is not judged
from then on until it is asked as usual again.

` + fleet.FaultHelp,
		Example: "  gateway rehearse --for 15s\n  gateway rehearse --rate 5000 --json /etc/sluice/config.yaml\n" +
			"  gateway rehearse --for 90s --fault silent:meter-3@20s+10s --fault unplug:meters@40s+5s",
		Args: configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.play <= 0 || !(r.rate >= 0 && r.rate <= maxRate) || r.devices < 1 || r.devices > maxDevices {
				return usageError{fmt.Errorf("want --for above 0s, --rate from 0 to %d, --devices from 1 to %d", int(maxRate), maxDevices)}
			}
			if !cmd.Flags().Changed("seed") {
				r.seed = rand.Uint64N(1 << 32)
			}
			f, err := load(configPath(args), config.Options{Secrets: config.Skip})
			if err != nil {
				return err
			}
			r.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
			r.screen.note(fmt.Sprintf("rehearsing %s on this machine alone: %s, %s, for %v",
				configPath(args), count(len(f.Drivers), "driver"), count(len(f.Sinks), "sink"), r.play))
			return r.run(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&r.play, "for", 10*time.Second, "how long the devices talk")
	flags.Float64Var(&r.rate, "rate", 1000, "messages per second of all MQTT devices together; 0: one per device")
	flags.IntVar(&r.devices, "devices", 50, "devices per topic that captures {device}")
	flags.Var(&r.faults, "fault", fleet.FaultUsage)
	flags.Uint64Var(&r.seed, "seed", 0, "of all that is left to chance (default: drawn and printed)")
	flags.BoolVar(&r.asJSON, "json", false, "print one JSON object on standard output")
	return cmd
}

// What one machine can be asked for.
const (
	maxRate    = 1_000_000
	maxDevices = 100_000
)

// patience is how long a rehearsal waits for what is on its way.
const patience = 20 * time.Second

// settled is how long after the beginning drivers have found the buses, which
// come then.
const settled = time.Second

// run sets the stage, plays, and gives the verdict.
func (r *rehearsal) run(ctx context.Context, f *config.File) error {
	if err := r.prepare(f); err != nil {
		return err
	}
	defer r.stage.strike()
	if err := r.enter(f); err != nil {
		return err
	}
	return r.give(ctx)
}

// give gives the performance, and the verdict.
func (r *rehearsal) give(ctx context.Context) error {
	defer r.fleet.Close()
	gatewayCtx, stopGateway := context.WithCancel(context.WithoutCancel(ctx))
	defer stopGateway()
	ended := make(chan error, 1) // sent to once, by the goroutine below
	go func() { ended <- r.gateway.run(gatewayCtx) }()
	if err := r.perform(ctx); err != nil {
		stopGateway()
		<-ended
		return err
	}
	stopGateway()
	if err := <-ended; err != nil {
		return err
	}
	return r.conclude()
}

// prepare puts stand-ins in the place of everything that is outside.
func (r *rehearsal) prepare(f *config.File) (err error) {
	var sinks []string
	for _, s := range f.Sinks {
		sinks = append(sinks, s.Name)
	}
	r.ledger = ledger.New(sinks...)
	r.stage, err = setStage(f, r.ledger)
	return err
}

// enter wires fleet and gateway to the stand-ins.
func (r *rehearsal) enter(f *config.File) error {
	model, err := fleet.FromConfig(f, fleet.Options{Devices: r.devices, Seed: r.seed})
	if err != nil {
		return err
	}
	if err := model.AddFaults(r.faults...); err != nil {
		return usageError{err}
	}
	for _, note := range model.Notes() {
		r.screen.note(note)
	}
	r.fleet, err = fleet.Open(model, fleet.Play{
		Brokers: r.stage.brokers, Ports: r.stage.ports, Rate: r.rate, Ledger: r.ledger,
	})
	if err != nil {
		return err
	}
	setBuses(f, r.fleet.Buses())
	r.logged.Set(slog.LevelError)
	log := slog.New(slog.NewTextHandler(r.screen.notes(), &slog.HandlerOptions{Level: &r.logged}))
	if r.gateway, err = assemble(f, log); err != nil {
		r.fleet.Close()
	}
	return err
}

// perform lets the devices talk and waits for the last of their readings.
func (r *rehearsal) perform(ctx context.Context) error {
	if !r.until(ctx, r.patience, r.everythingUp) {
		return fmt.Errorf("rehearse: the drivers do not reach the stand-ins: %s", r.downDrivers())
	}
	r.began = time.Now()
	shown, stopShowing := context.WithCancel(ctx)
	showing := make(chan struct{}) // closed when the progress is no longer shown
	go func() {
		defer close(showing)
		r.screen.follow(shown, r.progress)
	}()
	playCtx, stopPlaying := context.WithTimeout(ctx, r.play)
	heeded := time.AfterFunc(settled, func() { r.logged.Set(slog.LevelWarn) })
	context.AfterFunc(playCtx, func() {
		heeded.Stop()
		r.logged.Set(slog.LevelError)
	})
	err := r.fleet.Run(playCtx)
	stopPlaying()
	r.talked = time.Since(r.began).Round(100 * time.Millisecond)
	r.until(context.WithoutCancel(ctx), r.patience, r.everythingArrived)
	stopShowing()
	<-showing
	for _, note := range r.fleet.Unasked() {
		r.screen.note(note)
	}
	return err
}

// until waits for done to hold and reports whether it did in time.
func (r *rehearsal) until(ctx context.Context, limit time.Duration, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

func (r *rehearsal) everythingUp() bool { return r.downDrivers() == "" }

// downDrivers names the drivers that are not up, and why. Buses come when the
// devices begin to talk.
func (r *rehearsal) downDrivers() (text string) {
	buses := r.fleet.Buses()
	for name, d := range r.gateway.health().Drivers {
		isBus := slices.ContainsFunc(buses, func(b fleet.Port) bool { return b.Driver == name })
		if d.State != "up" && !isBus {
			text += fmt.Sprintf("%s is %s %s ", name, d.State, d.Detail)
		}
	}
	return text
}

// everythingArrived reports whether all that was sent is at every sink, or in
// the accounts of the gateway as something that will not come.
func (r *rehearsal) everythingArrived() bool {
	r.gateway.pipeline.Release() // nothing else comes
	s := r.gateway.pipeline.Stats()
	suppressed := uint64(0)
	for _, i := range s.Intakes {
		if i.InIntake > 0 {
			return false
		}
		suppressed += i.Suppressed
	}
	for _, d := range s.Deliveries {
		if d.InJournal > 0 || r.ledger.Outstanding(d.Name) > int64(d.DeadLettered+d.Evicted.Total()+d.Damaged+suppressed) {
			return false
		}
	}
	return true
}

// progress describes the moment in one line.
func (r *rehearsal) progress() string {
	p, s := r.fleet.Progress(), r.gateway.pipeline.Stats()
	elapsed := time.Since(r.began)
	line := fmt.Sprintf("%4.0fs  %d devices  sent %d (%.0f/s)", elapsed.Seconds(), p.Devices, p.Sent, float64(p.Sent)/elapsed.Seconds())
	for _, d := range s.Deliveries {
		line += fmt.Sprintf("  %s %d, %d behind", d.Name, d.Delivered, d.InJournal)
	}
	return line
}

// conclude prints the accounts and turns them into the exit code.
func (r *rehearsal) conclude() error {
	a := r.accounts()
	var err error
	if r.asJSON {
		err = a.writeJSON(r.screen.out)
	} else {
		err = a.writeTable(r.screen)
	}
	if err == nil && !a.OK {
		err = toldError{exitFailure}
	}
	return err
}

// temporary makes a folder for one rehearsal.
func temporary() (string, error) {
	dir, err := os.MkdirTemp("", "sluice-rehearsal-")
	if err != nil {
		return "", fmt.Errorf("rehearse: %w", err)
	}
	return dir, nil
}
