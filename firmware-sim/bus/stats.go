package bus

// Stats are the running counts of a bus.
type Stats struct {
	Requests   int64 // heard, broadcasts and those to nobody among them
	Broadcasts int64
	Unheard    int64 // requests to units that are not there
	Answers    int64 // handed over whole, exceptions and spoilt ones among them
	Exceptions int64 // answers that refuse, injected ones not counted
	Bad        int64 // requests with a wrong checksum
	Skipped    int64 // bytes of masters that belong to no request
	Lost       int64 // bytes that no master took: nobody had the port open, or read
	Excused    int64 // what would be violations, had no injected fault been in play
	Violations int64
}

// Stats returns the counts since the bus was made. It is safe for concurrent use.
func (b *Bus) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	for _, c := range b.conns {
		s.Bad, s.Skipped = s.Bad+c.ear.bad(), s.Skipped+c.ear.skipped()
	}
	s.Excused, s.Violations = b.arbiter.excused.n, b.arbiter.blamed.n
	return s
}

// Injected returns how often a fault has struck one of the units, of all without
// any. It is safe for concurrent use.
func (b *Bus) Injected(f Fault, units ...uint8) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f >= faults {
		return 0
	}
	n := int64(0)
	for _, unit := range units {
		n += b.struck[f][unit]
	}
	if len(units) == 0 {
		for _, k := range b.struck[f] {
			n += k
		}
	}
	return n
}

func (b *Bus) count(f Fault, unit uint8) { b.struck[f][unit]++ }
