package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/cmd/gateway/config"
	"sluice/drivers"
	"sluice/drivers/mqtt"
	"sluice/pipeline"
)

// reloader turns a gateway that runs into what its file says by now. What is the
// same goes on as if nothing had happened.
type reloader struct {
	path    string
	gateway *gateway
	level   slog.LevelVar // of the log
	log     *slog.Logger
	notify  *notifier // hears of it; nil: nobody does

	turn sync.Mutex   // held by the reload under way; guards file and read
	file *config.File // what runs
	read []stamp      // of its files
}

// restartError says that a file cannot be taken over by a gateway that runs.
type restartError struct{ settings []string }

func (e *restartError) Error() string {
	have := "has"
	if len(e.settings) > 1 {
		have = "have"
	}
	return fmt.Sprintf("%s %s changed, which takes a restart: the gateway goes on as it was", strings.Join(e.settings, ", "), have)
}

// reload reads the file and takes it over, all of it or nothing: a file that is
// wrong, or that takes a restart, changes nothing. The plan says what was done.
func (r *reloader) reload() (plan, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	defer r.notify.reloading()()
	began := time.Now()
	r.read = stampsOf(r.file.Files) // before: what is written meanwhile is seen
	f, err := load(r.path, config.Options{})
	if err != nil {
		r.log.Error("configuration cannot be taken over: the gateway goes on as it was", "err", err)
		return plan{}, fmt.Errorf("the gateway goes on as it was: %w", err)
	}
	logWarnings(r.log, f)
	p := newPlan(r.file, f, sameWord)
	if len(p.Restart) > 0 {
		err := &restartError{p.Restart}
		r.log.Error("configuration cannot be taken over", "err", err)
		return p, err
	}
	if err := r.takeOver(f, &p); err != nil {
		r.log.Error("configuration cannot be taken over: the gateway goes on as it was", "err", err)
		return p, fmt.Errorf("the gateway goes on as it was: %w", err)
	}
	if !slices.Equal(f.Files, r.file.Files) {
		r.read = stampsOf(f.Files)
	}
	r.file = f
	_ = r.level.UnmarshalText([]byte(f.Log.Level)) // validated
	r.log.Info("configuration is taken over", "what", p.summary(), "took", time.Since(began).Round(time.Microsecond))
	return p, nil
}

// takeOver carries a plan out. Everything that can fail comes first.
func (r *reloader) takeOver(f *config.File, p *plan) error {
	c := &change{gateway: r.gateway, file: f, plan: p, built: map[string]*driver{}}
	if err := c.build(); err != nil {
		c.discard()
		return err
	}
	began := time.Now()
	if err := r.gateway.pipeline.Exchange(c.sinks); err != nil {
		c.discard()
		return err
	}
	p.took("sink", p.of("sink", actionAdded, actionRestarted, actionRenamed), time.Since(began))
	c.drivers()
	began = time.Now()
	var gone []string // also a renamed one, if there was a place of the new name already
	for _, s := range r.file.Sinks {
		if sinkNamed(f, s.Name) == nil {
			gone = append(gone, s.Name)
		}
	}
	r.gateway.pipeline.RetireSinks(gone)
	p.took("sink", p.of("sink", actionRemoved), time.Since(began))
	r.gateway.pipeline.Expect(namedDevices(f))
	r.gateway.pipeline.Retire(goneDevices(f))
	return nil
}

// change is a plan that is being carried out.
type change struct {
	gateway *gateway
	file    *config.File
	plan    *plan
	built   map[string]*driver // new drivers by name
	sinks   []pipeline.Sink    // new ones
}

// build makes the new drivers and sinks, which connects to nothing.
func (c *change) build() error {
	for _, d := range c.file.Drivers {
		if !slices.Contains(c.plan.of("driver", actionAdded, actionRestarted, actionUpdated), d.Name) {
			continue
		}
		built, err := newDriver(c.file, d, c.gateway.log.With("driver", d.Name))
		if err != nil {
			return fmt.Errorf("driver %s: %w", d.Name, err)
		}
		c.built[d.Name] = built
	}
	for _, s := range c.file.Sinks {
		if !slices.Contains(c.plan.of("sink", actionAdded, actionRestarted, actionRenamed), s.Name) {
			continue
		}
		built, err := newSink(c.file, s, c.gateway.log)
		if err != nil {
			return fmt.Errorf("sink %s: %w", s.Name, err)
		}
		c.sinks = append(c.sinks, pipeline.Sink{Name: s.Name, Sink: built, Config: s.Delivery})
	}
	return nil
}

// discard lets go of what build has made.
func (c *change) discard() {
	for _, s := range c.sinks {
		s.Sink.Close()
	}
}

// drivers makes the drivers what the file says: those that end have ended before
// others begin, which may want the same port or client id.
func (c *change) drivers() {
	began := time.Now()
	running := map[string]*driver{}
	for _, d := range c.gateway.parts() {
		running[d.name] = d
	}
	c.update(running)
	var ending sync.WaitGroup
	for _, name := range c.plan.of("driver", actionRemoved, actionRestarted) {
		ending.Go(running[name].stop)
	}
	ending.Wait()
	var next, begins []*driver
	for _, d := range c.file.Drivers {
		was, now := running[d.Name], c.built[d.Name]
		switch {
		case now == nil: // kept
			now = was
		case was != nil:
			now.told = was.told
		}
		if now != was {
			begins = append(begins, now)
		}
		next = append(next, now)
	}
	c.gateway.mu.Lock()
	c.gateway.drivers = next
	c.gateway.mu.Unlock()
	for _, d := range begins {
		c.gateway.pipeline.AddIntake(d.name)
		c.gateway.start(d)
	}
	c.plan.took("driver", c.plan.of("driver", actionAdded, actionRemoved, actionRestarted), time.Since(began))
}

// update gives drivers their new devices. One that does not take them is restarted.
func (c *change) update(running map[string]*driver) {
	for i := range c.plan.Steps {
		s := &c.plan.Steps[i]
		if s.Part != "driver" || s.Action != actionUpdated {
			continue
		}
		began := time.Now()
		was := running[s.Name]
		d := c.file.Drivers[slices.IndexFunc(c.file.Drivers, func(d config.Driver) bool { return d.Name == s.Name })]
		updater, ok := was.driver.(drivers.Updater[mqtt.Device])
		if !ok {
			s.Action = actionRestarted
			continue
		}
		if err := updater.Update(d.MQTTDevices); err != nil {
			was.log.Warn("driver does not take other devices while it runs: it is restarted", "err", err)
			s.Action = actionRestarted
			continue
		}
		s.Seconds = time.Since(began).Seconds()
		with := *was
		with.rows = c.built[s.Name].rows
		running[s.Name] = &with
		delete(c.built, s.Name)
	}
}
