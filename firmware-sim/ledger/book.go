package ledger

import (
	"math"
	"slices"

	"sluice/protocol"
)

// The state of a sent reading: how often it was sent, and whether it certainly
// left.
const (
	confirmedBit = 0x80
	maxSends     = 0x7f
)

// book is the account of one device. Its readings are numbered from 0 in the
// order of sending; the columns of a reading lie in parallel slices.
type book struct {
	device   string
	identity *protocol.Device // nil when not announced
	counted  bool             // values cannot tell the readings apart
	timed    bool             // the device sends its own time

	at    []int64  // source time when timed, otherwise the moment of sending
	hash  []uint64 // of the expected metrics
	state []uint8
	slots []uint32 // open addressing by key: reading number + 1, 0 for free

	seen    [][]uint8 // per sink and reading: times delivered
	next    []int64   // per sink: one more than the highest number that arrived
	arrived []int64   // per sink: deliveries, when only counted

	suppressed int64 // readings that need not arrive
	excused    []span
}

// span is a time from one moment to the one before another.
type span struct{ from, until int64 }

// always is the end of a span that has none yet.
const always = math.MaxInt64

// excuses reports whether nothing of what was sent or received at a time counts.
func (b *book) excuses(at int64) bool {
	return slices.ContainsFunc(b.excused, func(s span) bool { return s.from <= at && at < s.until })
}

func newBook(device string, sinks int) *book {
	return &book{
		device:  device,
		seen:    make([][]uint8, sinks),
		next:    make([]int64, sinks),
		arrived: make([]int64, sinks),
	}
}

func (b *book) confirmed(n uint32) bool { return b.state[n]&confirmedBit != 0 }

func (b *book) sends(n uint32) int { return int(b.state[n] & maxSends) }

// counts reports whether the device's readings are only counted.
func (b *book) counts() bool { return b.counted && !b.timed }

// add notes a reading that is sent once and returns its number.
func (b *book) add(s Sample, hash uint64) uint32 {
	n := uint32(len(b.at))
	if n == 0 {
		b.timed = s.Time != 0
	}
	at := s.At
	if b.timed {
		at = s.Time
	}
	b.at = append(b.at, int64(at))
	b.hash = append(b.hash, hash)
	b.state = append(b.state, 1)
	for i := range b.seen {
		b.seen[i] = append(b.seen[i], 0)
	}
	b.index(n)
	return n
}

// find returns the sent reading that a delivery to a sink stands for: of those
// with the same key, the one nearest to what the sink is to get next, and
// rather one with the same values.
func (b *book) find(sink int, t protocol.Timestamp, hash uint64) (uint32, bool) {
	if len(b.slots) == 0 {
		return 0, false
	}
	key := hash
	if b.timed {
		key = mix(uint64(t))
	}
	best, found := uint32(0), false
	mask := uint64(len(b.slots) - 1)
	for at := key & mask; b.slots[at] != 0; at = (at + 1) & mask {
		n := b.slots[at] - 1
		if b.key(n) == key && (!found || b.nearer(sink, hash, n, best)) {
			best, found = n, true
			if b.counts() {
				break
			}
		}
	}
	return best, found
}

// nearer reports whether reading n is a better match than best.
func (b *book) nearer(sink int, hash uint64, n, best uint32) bool {
	if same := b.hash[n] == hash; same != (b.hash[best] == hash) {
		return same
	}
	return distance(int64(n), b.next[sink]) < distance(int64(best), b.next[sink])
}

func (b *book) key(n uint32) uint64 {
	if b.timed {
		return mix(uint64(b.at[n]))
	}
	return b.hash[n]
}

// index enters reading n, the newest, into the table and keeps that at most
// three quarters full.
func (b *book) index(n uint32) {
	if 4*(int(n)+1) > 3*len(b.slots) {
		b.slots = make([]uint32, max(16, 2*len(b.slots)))
		for old := range n {
			b.place(old)
		}
	}
	b.place(n)
}

// place enters reading n, unless it is only counted and there is an equal one:
// thousands of equal keys would be looked through one by one.
func (b *book) place(n uint32) {
	mask := uint64(len(b.slots) - 1)
	at := b.key(n) & mask
	for b.slots[at] != 0 {
		if b.counts() && b.key(b.slots[at]-1) == b.key(n) {
			return
		}
		at = (at + 1) & mask
	}
	b.slots[at] = n + 1
}

// tagsDiffer names the first tag of want that got lacks or holds otherwise.
func tagsDiffer(want []protocol.Tag, got map[string]string) (string, bool) {
	i := slices.IndexFunc(want, func(t protocol.Tag) bool { return got[t.Key] != t.Value })
	if i < 0 {
		return "", false
	}
	return want[i].Key, true
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// mix spreads the bits of a time over a key (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
