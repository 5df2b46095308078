package pipeline

import (
	"sync"
	"sync/atomic"

	"sluice/protocol"
)

// Intake takes the readings of one driver. It satisfies drivers.Emitter,
// drivers.Roomer, drivers.Accountant, drivers.Skipper and drivers.AckNoter. It is safe for
// concurrent use and none of its methods waits.
type Intake struct {
	driver string
	wake   chan<- struct{}

	// queue is sent to by Emit and received from by the committer, nobody
	// closes it. Its capacity is the operator's pipeline.intake.
	queue chan queued

	// degraded is true while the disk fails: what the source can send again
	// is left with it. Set by the committer.
	degraded atomic.Bool

	mu       sync.Mutex // guards what follows
	stats    IntakeStats
	bytes    int               // about the size of what is accepted and not journaled
	session  uint64            // the source forgets what it sent in an earlier one
	acked    []protocol.Origin // of this session
	rejected map[rejection]uint64
	flawed   map[rejection]uint64 // metrics left out of readings
	recalled []protocol.Origin    // by the notes of an earlier process or driver; nil once told
}

// queued is a batch in an intake.
type queued struct {
	batch   *protocol.Batch
	size    int    // about, in bytes
	session uint64 // that it was received in
}

type rejection struct{ device, reason string }

const (
	// maxQueuedBytes bounds an intake whose batches are large.
	maxQueuedBytes = 16 << 20

	// maxRejections bounds each kind of counters by device; what comes from
	// further devices is counted under otherDevices.
	maxRejections = 1000
	otherDevices  = "(other)"
)

// IntakeStats counts a driver's readings since the process started, all taken
// at one moment, so that
//
//	Received = Rejected + Duplicate + Refused + Dropped + Suppressed + InIntake + Journaled
type IntakeStats struct {
	Driver     string
	Received   uint64 // those that the gateway makes for silent devices among them
	Rejected   uint64 // messages that never give a reading
	Duplicate  uint64 // sent again although kept
	Refused    uint64 // left with the source, which sends them again
	Dropped    uint64 // lost: no room, and the source cannot send again
	Suppressed uint64 // held back by a report rule
	InIntake   uint64 // accepted, not yet in the journal; what a report rule holds back among them
	Journaled  uint64

	SkippedBytes uint64 // that belong to no message, such as noise on a line
}

// Rejection is a count of messages that gave no reading, or of metrics that
// were left out of one.
type Rejection struct {
	Driver, Device, Reason string
	Count                  uint64
}

func newIntake(driver string, capacity int, wake chan<- struct{}) *Intake {
	return &Intake{
		driver:   driver,
		wake:     wake,
		queue:    make(chan queued, capacity),
		stats:    IntakeStats{Driver: driver},
		rejected: map[rejection]uint64{},
		flawed:   map[rejection]uint64{},
	}
}

// Emit hands over a batch as drivers.Emitter describes.
func (i *Intake) Emit(b *protocol.Batch) bool {
	n, size := uint64(len(b.Readings)), sizeOf(b)
	resend := b.Origin.CanResend()
	i.mu.Lock()
	i.stats.Received += n
	for _, f := range b.Flaws {
		tally(i.flawed, f.Device.Name, f.Refusal.Reason)
	}
	if (i.bytes+size <= maxQueuedBytes || i.bytes == 0) && !(resend && i.degraded.Load()) {
		select {
		case i.queue <- queued{b, size, i.session}:
			i.stats.InIntake += n
			i.bytes += size
			i.mu.Unlock()
			poke(i.wake)
			return true
		default:
		}
	}
	if resend {
		i.stats.Refused += n
	} else {
		i.stats.Dropped += n
	}
	i.mu.Unlock()
	return false
}

// sizeOf returns about how many bytes a batch takes, in memory or written.
func sizeOf(b *protocol.Batch) int {
	const perBatch, perReading, perMetric = 64, 64, 32
	size := perBatch + perReading*len(b.Readings)
	for i := range b.Readings {
		for k := range b.Readings[i].Metrics {
			size += perMetric + len(b.Readings[i].Metrics[k].Value.Text())
		}
	}
	return size
}

func poke(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default: // the committer has yet to see the last one
	}
}

// Room reports whether what was refused would be taken now: at least half the
// intake is free and the disk does not fail.
func (i *Intake) Room() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.degraded.Load() && len(i.queue) <= cap(i.queue)/2 && i.bytes <= maxQueuedBytes/2
}

// Reject counts a message that will never give a reading.
func (i *Intake) Reject(device, reason string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stats.Received++
	i.stats.Rejected++
	tally(i.rejected, device, reason)
}

func tally(in map[rejection]uint64, device, reason string) {
	r := rejection{device, reason}
	if _, known := in[r]; !known && len(in) >= maxRejections {
		r.device = otherDevices
	}
	in[r]++
}

// Skip counts bytes that belong to no message.
func (i *Intake) Skip(bytes int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stats.SkippedBytes += uint64(bytes)
}

// Refuse counts a message left unread for its source to send again.
func (i *Intake) Refuse() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stats.Received++
	i.stats.Refused++
}

// Acknowledged notes that a kept batch was acknowledged to its source.
func (i *Intake) Acknowledged(o protocol.Origin) {
	i.mu.Lock()
	i.acked = append(i.acked, o) // bounded by what the source may have in flight
	i.mu.Unlock()
}

// SessionLost notes that the source sends nothing again that it sent before.
func (i *Intake) SessionLost(string) {
	i.mu.Lock()
	i.session++
	i.acked = i.acked[:0]
	i.mu.Unlock()
	poke(i.wake)
}

// Recalled returns, once, what was known of open messages when the journal was
// opened or another driver took the intake over.
func (i *Intake) Recalled() []protocol.Origin {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.recalled
	i.recalled = nil
	return list
}

// recall gives a driver that is about to run what is known of open messages.
func (i *Intake) recall(open []protocol.Origin) {
	i.mu.Lock()
	i.recalled = open
	i.mu.Unlock()
}

// takeNotes returns the present session and appends to acked the acknowledgements
// noted in it since the last call.
func (i *Intake) takeNotes(acked []protocol.Origin) (uint64, []protocol.Origin) {
	i.mu.Lock()
	defer i.mu.Unlock()
	acked = append(acked, i.acked...)
	i.acked = i.acked[:0]
	return i.session, acked
}

// enter counts n readings in that no driver emits, and the bytes that they, or
// readings that are in already, take from now on.
func (i *Intake) enter(n uint64, size int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stats.Received += n
	i.stats.InIntake += n
	i.bytes += size
}

// leave counts a batch of n readings out of the intake.
func (i *Intake) leave(n uint64, size int, into func(*IntakeStats) *uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.bytes -= size
	i.stats.InIntake -= n
	*into(&i.stats) += n
}

// snapshot returns the counters, and those of rejected messages and of flawed
// ones one by one.
func (i *Intake) snapshot() (stats IntakeStats, rejected, flawed []Rejection) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stats, i.list(i.rejected), i.list(i.flawed)
}

func (i *Intake) list(counts map[rejection]uint64) []Rejection {
	list := make([]Rejection, 0, len(counts))
	for r, n := range counts {
		list = append(list, Rejection{i.driver, r.device, r.reason, n})
	}
	return list
}
