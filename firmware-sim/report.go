package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"sluice/firmware-sim/fleet"
)

// report tells people and programs what the fleet does.
type report struct {
	out, errs io.Writer
	json      bool
	fleet     *fleet.Fleet
	seed      uint64
	began     time.Time
}

// begin says what there is.
func (r *report) begin(notes []string) {
	for _, note := range notes {
		fmt.Fprintln(r.errs, "note:", note)
	}
	for _, p := range r.fleet.Ports() {
		if r.json {
			r.object(map[string]any{"port": p.Path, "driver": p.Driver})
			continue
		}
		fmt.Fprintf(r.out, "port of %s: %s\n", p.Driver, p.Path)
	}
	for _, b := range r.fleet.Buses() {
		if r.json {
			r.object(map[string]any{"bus": b.Path, "driver": b.Driver})
			continue
		}
		fmt.Fprintf(r.out, "bus of %s: %s\n", b.Driver, b.Path)
	}
	r.began = time.Now()
}

// during runs the fleet and shows its progress: in place every second on a
// terminal, else a line every 5 s.
func (r *report) during(ctx context.Context, run func(context.Context) error) error {
	every, form := 5*time.Second, "%s\n"
	terminal := isTerminal(r.errs)
	if terminal {
		every, form = time.Second, "\r\x1b[K%s"
	}
	ended := make(chan error, 1) // run's result: its goroutine never waits
	go func() { ended <- run(ctx) }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := fleet.Progress{}
	for {
		select {
		case err := <-ended:
			if terminal {
				fmt.Fprintln(r.errs)
			}
			return err
		case <-tick.C:
			p := r.fleet.Progress()
			rate := float64(p.Confirmed-last.Confirmed) / every.Seconds()
			last = p
			fmt.Fprintf(r.errs, form, fmt.Sprintf("%d devices · %d connections · %d ports open · %d sent, %.0f/s · %d under way",
				p.Devices, p.Connections, p.Opened, p.Sent, rate, p.Sent-p.Confirmed))
		}
	}
}

// end sums up. What was never acknowledged is a failure, and so is a master that
// broke the rules of its bus.
func (r *report) end() error {
	p, took := r.fleet.Progress(), time.Since(r.began)
	if r.json {
		r.object(map[string]any{
			"seed": r.seed, "duration_s": took.Round(time.Millisecond).Seconds(), "devices": p.Devices, "sent": p.Sent, "confirmed": p.Confirmed,
		})
	} else {
		fmt.Fprintf(r.out, "%d devices sent %d messages in %v, %d confirmed (seed %d)\n",
			p.Devices, p.Sent, took.Round(100*time.Millisecond), p.Confirmed, r.seed)
	}
	r.buses()
	if list := r.fleet.BusFaults(); len(list) > 0 {
		return &failed{errors.New(strings.Join(list, "\n"))}
	}
	if p.Confirmed < p.Sent {
		return &failed{errors.New(fmt.Sprint(p.Sent-p.Confirmed, " messages were never acknowledged"))}
	}
	return nil
}

// buses sums up what was asked on the buses.
func (r *report) buses() {
	for _, b := range r.fleet.BusCounts() {
		if r.json {
			r.object(map[string]any{"driver": b.Driver, "requests": b.Requests, "answers": b.Answers, "violations": b.Violations, "struck": b.Struck})
			continue
		}
		fmt.Fprintf(r.out, "bus of %s: %d requests, %d answers, %d violations", b.Driver, b.Requests, b.Answers, b.Violations)
		before := "; faults: "
		for _, kind := range slices.Sorted(maps.Keys(b.Struck)) {
			fmt.Fprintf(r.out, "%s%s %d", before, kind, b.Struck[kind])
			before = ", "
		}
		fmt.Fprintln(r.out)
	}
}

func (r *report) object(v map[string]any) {
	_ = json.NewEncoder(r.out).Encode(v) // to a pipe that nobody reads any more
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	about, err := f.Stat()
	return err == nil && about.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
