package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sluice/pipeline/journal"
	"sluice/pipeline/report"
	"sluice/sink"
)

// Sink is a sink and how it gets its readings.
type Sink struct {
	Name   string
	Sink   sink.Sink
	Config Delivery
}

// Pipeline carries readings from the intakes to the sinks.
type Pipeline struct {
	config    Config
	log       *slog.Logger
	journal   *journal.Journal
	wake      chan struct{} // an intake tells the committer; never closed; one signal says "look again"
	committer *committer
	office    *deadOffice

	running sync.WaitGroup  // the deliveries that run
	started chan struct{}   // closed by Run when they do
	give    context.Context // theirs, set by Run: ends when draining has taken long enough
	drain   chan struct{}   // closed by Run when the committer has written its last record

	mu         sync.RWMutex // guards what follows
	intakes    map[string]*Intake
	deliveries []*delivery
	fallbacks  map[string]*fallback
}

// Open opens the journal and prepares one intake per driver and one delivery per
// sink. The pipeline owns the sinks from now on and closes them.
func Open(config Config, drivers []string, sinks []Sink, log *slog.Logger) (*Pipeline, error) {
	return open(config, drivers, sinks, log, nil)
}

func open(config Config, drivers []string, sinks []Sink, log *slog.Logger, fs journal.FS) (*Pipeline, error) {
	p := &Pipeline{
		config:    config,
		log:       log,
		wake:      make(chan struct{}, 1),
		started:   make(chan struct{}),
		drain:     make(chan struct{}),
		intakes:   map[string]*Intake{},
		fallbacks: map[string]*fallback{},
	}
	if fs == nil {
		fs = journal.OS{}
	}
	p.office = newDeadOffice(config.Dir, fs, log)
	known := map[string]*resent{}
	j, err := journal.Open(journal.Options{
		Dir:         config.Dir,
		SegmentSize: int64(config.Segment),
		MaxSize:     int64(config.MaxSize),
		Volatile:    int64(config.Volatile),
		MaxAge:      config.MaxAge,
		Retain:      config.Retain,
		Unclaimed:   config.Unclaimed,
		Memory:      config.Durability == "memory",
		NoSync:      config.Durability == "os",
		FS:          fs,
		Log:         log,
		Recovered:   func(r journal.Record) { recall(known, r) },
	})
	if err != nil {
		return nil, err
	}
	p.journal = j
	p.committer = &committer{
		journal:  j,
		config:   config,
		log:      log,
		stages:   []stage{unset{}, &rising{}},
		desk:     report.New(time.Now(), log),
		wake:     p.wake,
		maxGroup: min(maxGroup, int(config.Volatile)/4),
		encoder:  newEncoder(),
		health:   newHealth(),
		pulse:    newPulse(),
	}
	for _, name := range drivers {
		p.addIntake(name, known[name])
	}
	for _, s := range sinks {
		if s.Config.Only == "fallback" {
			p.fallbacks[s.Name] = newFallback(s)
		}
	}
	for _, s := range sinks {
		if s.Config.Only == "fallback" {
			continue
		}
		if err := p.addDelivery(s); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	p.tellBacklog()
	return p, nil
}

// tellBacklog logs what is carried over from the last run.
func (p *Pipeline) tellBacklog() {
	for _, c := range p.journal.Stats().Cursors {
		switch {
		case !c.Claimed:
			p.log.Warn("journal keeps readings for a sink that is not configured: name it in the new sink's 'was', or end it with 'gateway journal forget'",
				"sink", c.Name, "readings", c.InJournal)
		case c.InJournal > 0:
			p.log.Info("sink has readings to catch up with", "sink", c.Name, "readings", c.InJournal)
		}
	}
}

// recall rebuilds what is known of the drivers' open messages from a record.
func recall(known map[string]*resent, rec journal.Record) {
	d := newDecoder()
	d.r = reader{b: rec.Payload}
	if d.r.byte() != payloadVersion {
		return
	}
	d.r.uvarint()
	d.learnDevices()
	d.learnMetrics()
	readNotes(&d.r, func(n note) {
		if known[n.driver] == nil {
			known[n.driver] = newResent()
		}
		known[n.driver].recall(n)
	})
}

func (p *Pipeline) addIntake(name string, known *resent) {
	if known == nil {
		known = newResent()
	}
	i := newIntake(name, p.config.Intake, p.wake)
	i.degraded.Store(!p.committer.tryAt.IsZero())
	p.intakes[name] = i
	i.recalled = known.recalled()
	p.committer.sources = append(p.committer.sources, &source{intake: i, resent: known})
}

func (p *Pipeline) addDelivery(s Sink) error {
	cursor, err := p.openCursor(s)
	if err != nil {
		return err
	}
	p.deliveries = append(p.deliveries, p.newDelivery(s, cursor, p.fallbacks[s.Config.Fallback]))
	return nil
}

func (p *Pipeline) openCursor(s Sink) (*journal.Cursor, error) {
	options := journal.CursorOptions{Was: s.Config.Was, Block: s.Config.WhenFull == "block", MaxAge: s.Config.TTL}
	if s.Config.Start == "oldest" {
		options.Start = journal.Oldest
	}
	cursor, err := p.journal.Cursor(s.Name, options)
	if err != nil {
		return nil, fmt.Errorf("open delivery: %w", err)
	}
	return cursor, nil
}

func (p *Pipeline) newDelivery(s Sink, cursor *journal.Cursor, f *fallback) *delivery {
	log, dead := p.log.With("sink", s.Name), p.office.of(s.Name)
	d := &delivery{
		name:     s.Name,
		sink:     s.Sink,
		config:   s.Config,
		cursor:   cursor,
		live:     newFeed(&cursor.Lane, s.Config.Batch, log),
		missed:   newFeed(cursor.Backlog(), s.Config.Batch, log),
		breaker:  newBreaker(s.Config.Breaker, log),
		fallback: f,
		dead:     dead,
		redo:     newRedo(dead, s.Config.Batch, log),
		log:      log,
		health:   newHealth(),
		leave:    make(chan struct{}),
		ended:    make(chan struct{}),
		pulse:    newPulse(),
	}
	d.missed.historical = true
	return d
}

// Intake returns the intake of a driver, nil when there is none of that name.
func (p *Pipeline) Intake(driver string) *Intake {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.intakes[driver]
}

// Run carries readings until ctx ends. Then it writes what the intakes hold to
// the journal, gives the sinks config.Drain to catch up, closes them and the
// journal, and returns. Drivers must have ended before ctx does. What is not
// delivered by then stays in the journal.
func (p *Pipeline) Run(ctx context.Context) error {
	give, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var house sync.WaitGroup
	house.Go(func() {
		select {
		case <-ctx.Done():
			sleep(give, p.config.Drain)
			stop()
		case <-give.Done():
		}
	})
	house.Go(func() { p.journal.Tend(give) })
	p.give = give
	for _, d := range p.deliveries {
		p.start(d)
	}
	close(p.started)
	p.committer.run(ctx, give)
	close(p.drain)
	p.running.Wait()
	stop()
	house.Wait()
	return p.close()
}

func (p *Pipeline) close() error {
	var errs []error
	for _, d := range p.deliveries {
		if err := d.sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close sink %s: %w", d.name, err))
		}
	}
	for _, f := range p.fallbacks {
		if err := f.sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close sink %s: %w", f.name, err))
		}
	}
	if err := p.journal.Close(); err != nil {
		errs = append(errs, fmt.Errorf("close journal: %w", err))
	}
	return errors.Join(errs...)
}
