package pipeline

import (
	"context"
	"maps"
	"slices"

	"sluice/sink"
)

// AddIntake returns the intake of a driver that is about to run, of which there was
// none, or one that has ended: its counters go on, and the driver is told which
// messages are open. An intake stays when its driver is gone for good: it counts
// since the start, and what a broker sends again is still known if the driver comes
// back.
func (p *Pipeline) AddIntake(driver string) *Intake {
	p.committer.mu.Lock()
	defer p.committer.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.committer.sources {
		if s.intake.driver == driver {
			s.collect()
			s.intake.recall(s.resent.recalled())
			return s.intake
		}
	}
	p.addIntake(driver, nil)
	return p.intakes[driver]
}

// Exchange makes Run deliver to sinks that are new, that take the place of the one of
// the same name, or of the one whose name is their Config.Was. When it returns their
// cursors are open: what is accepted from then on reaches them. A sink that takes the
// place of another goes on where that has come to; a write under way is given
// config.Drain to end. A sink whose fallback is exchanged has to be among them.
//
// It is all or nothing: on error the pipeline goes on as before, and the sinks are
// the caller's to close. Otherwise the pipeline owns them, and has closed those whose
// places they have taken. It waits until Run runs, must not be called twice at a
// time, nor together with RetireSinks, and has to return before the context of Run ends.
func (p *Pipeline) Exchange(with []Sink) error {
	<-p.started
	x := &exchange{Pipeline: p, fallbacks: maps.Clone(p.fallbacks)}
	for _, s := range with {
		if s.Config.Only == "fallback" {
			x.fallbacks[s.Name] = newFallback(s)
		} else {
			delete(x.fallbacks, s.Name)
		}
	}
	x.stop(with)
	if err := x.open(with); err != nil {
		x.undo()
		return err
	}
	x.begin()
	return nil
}

// exchange is one use of Exchange.
type exchange struct {
	*Pipeline
	fallbacks map[string]*fallback // as they are to be
	stopped   []*delivery          // whose places are taken
	fresh     []*delivery
	created   []string // cursors that there were none of
	renamed   []Sink   // whose cursors had the name of their Config.Was
}

// stop ends the deliveries whose places are taken, between two batches if they come
// there in time.
func (x *exchange) stop(with []Sink) {
	for _, d := range x.deliveries {
		if slices.ContainsFunc(with, func(s Sink) bool { return s.Name == d.name || x.inherits(s) && s.Config.Was == d.name }) {
			x.stopped = append(x.stopped, d)
		}
	}
	x.end(x.stopped)
}

// inherits reports whether a sink takes over the cursor that has the name it had.
func (x *exchange) inherits(s Sink) bool {
	return s.Config.Only != "fallback" && !x.journal.Has(s.Name) && x.journal.Has(s.Config.Was)
}

// open opens the cursors of the sinks that are to have one.
func (x *exchange) open(with []Sink) error {
	for _, s := range with {
		if s.Config.Only == "fallback" {
			continue
		}
		had, inherits := x.journal.Has(s.Name), x.inherits(s)
		cursor, err := x.openCursor(s)
		if err != nil {
			return err
		}
		switch {
		case had:
		case inherits:
			x.renamed = append(x.renamed, s)
		default:
			x.created = append(x.created, s.Name)
		}
		x.fresh = append(x.fresh, x.newDelivery(s, cursor, x.fallbacks[s.Config.Fallback]))
	}
	return nil
}

// undo has the deliveries that were stopped go on with the cursors that they had.
func (x *exchange) undo() {
	for _, d := range x.fresh {
		d.cursor.Leave()
		if !slices.ContainsFunc(x.stopped, func(o *delivery) bool { return o.name == d.name }) {
			x.journal.Disclaim(d.name) // as it was before
		}
	}
	for _, name := range x.created {
		if err := x.journal.Forget(name); err != nil {
			x.log.Warn("journal keeps readings for a sink that was not added: end that with 'gateway journal forget'", "sink", name, "err", err)
		}
	}
	var again []*delivery
	for _, d := range x.stopped {
		s := Sink{d.name, d.sink, d.config}
		for _, r := range x.renamed {
			if r.Config.Was == d.name {
				s.Config.Was = r.Name
			}
		}
		cursor, err := x.openCursor(s)
		if err != nil { // only of one that was renamed: its file cannot be renamed back
			x.log.Error("sink cannot go on: its readings are kept for it until the gateway is started anew", "sink", d.name, "err", err)
			x.closeSink(d.name, d.sink)
			continue
		}
		s.Config.Was = d.config.Was
		again = append(again, x.newDelivery(s, cursor, d.fallback))
	}
	x.fallbacks = x.Pipeline.fallbacks
	x.replace(again)
}

// begin closes the sinks whose places are taken, one of which may hold what its
// successor needs, and has the others deliver.
func (x *exchange) begin() {
	var old []*fallback
	for name, f := range x.Pipeline.fallbacks {
		if x.fallbacks[name] != f {
			old = append(old, f)
		}
	}
	for _, d := range x.stopped {
		x.closeSink(d.name, d.sink)
		if x.fallbacks[d.name] != nil { // that is all that it is now
			x.journal.Disclaim(d.name)
		}
	}
	for _, f := range old {
		x.closeSink(f.name, f.sink)
	}
	x.replace(x.fresh)
}

// replace puts deliveries in the place of those that were stopped, and starts them.
func (x *exchange) replace(with []*delivery) {
	x.mu.Lock()
	list := slices.DeleteFunc(slices.Clone(x.deliveries), func(d *delivery) bool { return closed(d.ended) })
	x.deliveries, x.Pipeline.fallbacks = append(list, with...), x.fallbacks
	x.mu.Unlock()
	for _, d := range with {
		x.start(d)
	}
}

// start runs a delivery until it has ended by itself, or Run ends it.
func (p *Pipeline) start(d *delivery) {
	ctx, abort := context.WithCancel(p.give)
	d.abort = abort
	p.running.Go(func() {
		defer close(d.ended)
		defer abort()
		d.run(ctx, p.drain)
	})
}

// end has deliveries leave their cursors: between two batches, or in the middle of
// one when config.Drain is over.
func (p *Pipeline) end(deliveries []*delivery) {
	slow, over := context.WithTimeout(p.give, p.config.Drain)
	defer over()
	for _, d := range deliveries {
		close(d.leave)
	}
	for _, d := range deliveries {
		select {
		case <-d.ended:
		case <-slow.Done():
			d.abort()
			<-d.ended
		}
		d.cursor.Leave()
	}
}

// RetireSinks ends the sinks of these names, as far as they are there, and closes
// them. The journal goes on keeping readings for those that have a cursor, as for
// every sink that is not configured. It is called as Exchange is.
func (p *Pipeline) RetireSinks(sinks []string) {
	<-p.started
	var gone []*delivery
	for _, d := range p.deliveries {
		if slices.Contains(sinks, d.name) {
			gone = append(gone, d)
		}
	}
	p.end(gone)
	p.mu.Lock()
	p.deliveries = slices.DeleteFunc(slices.Clone(p.deliveries), func(d *delivery) bool { return slices.Contains(gone, d) })
	old := p.fallbacks
	p.fallbacks = maps.Clone(old)
	maps.DeleteFunc(p.fallbacks, func(name string, _ *fallback) bool { return slices.Contains(sinks, name) })
	p.mu.Unlock()
	for _, d := range gone {
		p.journal.Disclaim(d.name)
		p.closeSink(d.name, d.sink)
		p.log.Warn("journal goes on keeping readings for a sink that is not configured any more: 'gateway journal forget' ends that", "sink", d.name)
	}
	for name, f := range old {
		if p.fallbacks[name] == nil {
			p.closeSink(name, f.sink)
		}
	}
}

func (p *Pipeline) closeSink(name string, s sink.Sink) {
	if err := s.Close(); err != nil {
		p.log.Warn("sink cannot be closed", "sink", name, "err", err)
	}
}
