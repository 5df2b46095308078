package pipeline

import (
	"slices"
	"time"
)

// notebook keeps what the records have to say about the messages of all
// sources, so that those a source sends again are recognised, after a restart
// too.
type notebook struct {
	sources []*source
	written []note    // in records appended since the last commit
	fresh   []note    // of the record being written; reused
	dueAt   time.Time // when acknowledgements without a record are due, zero: not
}

// noteAfter is how long acknowledgements wait for a record to travel with before
// they get one of their own.
const noteAfter = time.Second

// collect takes what the drivers have noted.
func (b *notebook) collect() {
	for _, s := range b.sources {
		s.collect()
	}
}

// page returns the notes that the next record has to carry, fresh being its
// entries.
func (b *notebook) page(fresh []entry) []note {
	page := b.fresh[:0]
	for _, s := range b.sources {
		n := s.note(fresh)
		n.acked = n.acked[b.acked(s):]
		n.lost = n.lost && !b.toldLost(s)
		if n.lost || len(n.acked) > 0 || len(n.kept) > 0 {
			page = append(page, n)
		}
	}
	b.fresh = page
	return page
}

// acked returns how many of the source's acknowledgements are written but not
// committed.
func (b *notebook) acked(s *source) (count int) {
	for _, n := range b.written {
		if n.source == s && n.session == s.session {
			count += len(n.acked)
		}
	}
	return count
}

// toldLost reports whether it is written that the source's session is new.
func (b *notebook) toldLost(s *source) bool {
	return slices.ContainsFunc(b.written, func(n note) bool {
		return n.source == s && n.session == s.session && n.lost
	})
}

// whole returns the page of a segment's first record, which tells all that is
// open, so that opening the journal need read one segment only.
func (b *notebook) whole(page []note) []note {
	bySource := map[*source]note{}
	for _, n := range page {
		bySource[n.source] = n
	}
	all := make([]note, 0, len(b.sources))
	for _, s := range b.sources {
		n := bySource[s]
		n.source, n.session, n.driver = s, s.session, s.intake.driver
		n.kept = s.resent.open()
		all = append(all, n)
	}
	return all
}

// wrote remembers a page until its record is committed.
func (b *notebook) wrote(page []note) { b.written = append(b.written, page...) }

// void forgets the pages whose records were not committed: they will be written
// again.
func (b *notebook) void() { b.written = b.written[:0] }

// kept takes over the pages that a commit has made durable. resendable says that
// there are messages among the entries, which will be acknowledged now.
func (b *notebook) kept(resendable bool) {
	told := b.due()
	for _, n := range b.written {
		n.source.noted(n)
	}
	b.void()
	switch {
	case resendable:
		b.dueAt = time.Now().Add(noteAfter)
	case told:
		b.dueAt = time.Time{}
	}
}

// due reports whether notes have waited long enough for a record.
func (b *notebook) due() bool { return !b.dueAt.IsZero() && !time.Now().Before(b.dueAt) }

// wait returns how long until notes are due, 0 when there are none.
func (b *notebook) wait() time.Duration {
	if b.dueAt.IsZero() {
		return 0
	}
	return max(time.Until(b.dueAt), time.Millisecond)
}

// hurry makes notes due now.
func (b *notebook) hurry() { b.dueAt = time.Now() }
