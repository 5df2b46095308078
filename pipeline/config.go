package pipeline

import (
	"fmt"
	"time"

	"sluice/sink"
)

// Config is how readings travel from the drivers to the sinks.
type Config struct {
	Dir        string        `yaml:"dir"`        // holds the journal; one process per folder
	MaxSize    Bytes         `yaml:"max_size"`   // of the journal, default 256MiB; the oldest readings go first
	Segment    Bytes         `yaml:"segment"`    // size of one journal file, default 4MiB
	MaxAge     time.Duration `yaml:"max_age"`    // readings older than this go too, default 0s: of any age
	Retain     time.Duration `yaml:"retain"`     // delivered readings stay for replay this long, while there is room; default 0s
	Unclaimed  time.Duration `yaml:"unclaimed"`  // readings for a sink that is not configured any more stay this long, default 168h
	Durability string        `yaml:"durability"` // always (default), interval, os or memory
	Volatile   Bytes         `yaml:"volatile"`   // held in memory while the disk fails, default 16MiB
	Interval   time.Duration `yaml:"interval"`   // between syncs at durability interval, default 50ms
	Linger     time.Duration `yaml:"linger"`     // wait this long for more batches before a sync, default 0s
	Intake     int           `yaml:"intake"`     // batches that may wait per driver, default 1024
	Drain      time.Duration `yaml:"drain"`      // for the sinks to catch up at shutdown, default 5s
}

// Delivery is how one sink gets its readings.
type Delivery struct {
	Batch    Batch         `yaml:"batch"`
	Retry    Retry         `yaml:"retry"`
	Timeout  time.Duration `yaml:"timeout"`   // of one write, default 30s
	Start    string        `yaml:"start"`     // where a new sink begins: now (default) or oldest
	Was      string        `yaml:"was"`       // the sink's name before; it goes on where that one was
	WhenFull string        `yaml:"when_full"` // of the journal: drop_oldest (default) or block
	TTL      time.Duration `yaml:"ttl"`       // readings not delivered by then are evicted, default 0s: never
	Breaker  Breaker       `yaml:"breaker"`
	Catchup  Catchup       `yaml:"catchup"`
	Fallback string        `yaml:"fallback"` // the sink that takes the readings while the breaker is open, for good
	Only     string        `yaml:"only"`     // fallback: for that alone; it gets nothing of its own
}

// Batch says when readings are written together: as soon as one bound is met.
type Batch struct {
	MaxReadings int           `yaml:"max_readings"` // readings of a write at most, default 1000
	MaxBytes    Bytes         `yaml:"max_bytes"`    // as journaled, default 1MiB
	MaxAge      time.Duration `yaml:"max_age"`      // since the first was accepted; default by kind of sink
}

// Retry says how long to wait after a failed write: a random time up to Min
// after the first, up to twice that after each further one, never longer than
// Max.
type Retry struct {
	Min time.Duration `yaml:"min"` // at most so long after the first failure, default 100ms
	Max time.Duration `yaml:"max"` // and after many, default 10s
}

// Bytes is a size, with its unit in the file.
type Bytes = sink.Bytes

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{
		MaxSize:    256 << 20,
		Segment:    4 << 20,
		Unclaimed:  7 * 24 * time.Hour,
		Durability: "always",
		Volatile:   16 << 20,
		Interval:   50 * time.Millisecond,
		Intake:     1024,
		Drain:      5 * time.Second,
	}
}

// DefaultDelivery returns the values that hold where the file is silent.
func DefaultDelivery() Delivery {
	return Delivery{
		Batch:    Batch{MaxReadings: 1000, MaxBytes: 1 << 20},
		Retry:    Retry{Min: 100 * time.Millisecond, Max: 10 * time.Second},
		Timeout:  30 * time.Second,
		Start:    "now",
		WhenFull: "drop_oldest",
		Breaker:  Breaker{Failures: 5, Pause: 10 * time.Second},
		Catchup:  Catchup{Order: "oldest"},
	}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if c.Dir == "" {
		report("dir", "is required: the folder that keeps the journal")
	}
	if c.Segment < 64<<10 || c.Segment > 1<<30 {
		report("segment", fmt.Sprintf("is %v, want 64KiB to 1GiB", c.Segment))
	}
	if c.MaxSize < 4*c.Segment {
		report("max_size", fmt.Sprintf("is %v, want at least four segments (%v)", c.MaxSize, 4*c.Segment))
	}
	switch c.Durability {
	case "always", "interval", "os", "memory":
	default:
		report("durability", fmt.Sprintf("is %q, want always, interval, os or memory", c.Durability))
	}
	c.validateAges(report)
	if c.Volatile < 1<<20 || c.Volatile > 1<<30 {
		report("volatile", fmt.Sprintf("is %v, want 1MiB to 1GiB", c.Volatile))
	}
	if c.Interval < time.Millisecond || c.Interval > time.Minute {
		report("interval", fmt.Sprintf("is %v, want 1ms to 1m", c.Interval))
	}
	if c.Linger < 0 || c.Linger > time.Second {
		report("linger", fmt.Sprintf("is %v, want 0s to 1s", c.Linger))
	}
	// Fewer than a broker has in flight would be refused again and again.
	if c.Intake < 64 || c.Intake > 1<<20 {
		report("intake", fmt.Sprintf("is %d, want 64 to 1048576 batches", c.Intake))
	}
	if c.Drain < 0 {
		report("drain", fmt.Sprintf("is %v, want 0s or longer", c.Drain))
	}
}

func (c *Config) validateAges(report func(field, problem string)) {
	for _, age := range []struct {
		field string
		value time.Duration
		none  bool // 0s means something
	}{{"max_age", c.MaxAge, true}, {"retain", c.Retain, true}, {"unclaimed", c.Unclaimed, false}} {
		if age.value < time.Minute && !(age.none && age.value == 0) {
			report(age.field, fmt.Sprintf("is %v, want 1m or longer", age.value))
		}
	}
	if c.MaxAge > 0 && c.Retain > c.MaxAge {
		report("retain", fmt.Sprintf("is %v, want no longer than max_age (%v)", c.Retain, c.MaxAge))
	}
}

// Validate reports what is wrong with d, as Config.Validate does.
func (d *Delivery) Validate(report func(field, problem string)) {
	if d.Batch.MaxReadings < 1 || d.Batch.MaxReadings > 100_000 {
		report("batch.max_readings", fmt.Sprintf("is %d, want 1 to 100000", d.Batch.MaxReadings))
	}
	if d.Batch.MaxBytes < 1<<10 || d.Batch.MaxBytes > 64<<20 {
		report("batch.max_bytes", fmt.Sprintf("is %v, want 1KiB to 64MiB", d.Batch.MaxBytes))
	}
	if d.Batch.MaxAge < 0 || d.Batch.MaxAge > time.Hour {
		report("batch.max_age", fmt.Sprintf("is %v, want 0s to 1h", d.Batch.MaxAge))
	}
	if d.Retry.Min < time.Millisecond || d.Retry.Max < d.Retry.Min {
		report("retry", fmt.Sprintf("is %v to %v, want at least 1ms and max not below min", d.Retry.Min, d.Retry.Max))
	}
	if d.Timeout < 10*time.Millisecond {
		report("timeout", fmt.Sprintf("is %v, want 10ms or longer", d.Timeout))
	}
	if d.Start != "now" && d.Start != "oldest" {
		report("start", fmt.Sprintf("is %q, want now or oldest", d.Start))
	}
	if d.WhenFull != "drop_oldest" && d.WhenFull != "block" {
		report("when_full", fmt.Sprintf("is %q, want drop_oldest or block", d.WhenFull))
	}
	if d.TTL < time.Minute && d.TTL != 0 {
		report("ttl", fmt.Sprintf("is %v, want 1m or longer, or 0s", d.TTL))
	}
	if d.Only != "" && d.Only != "fallback" {
		report("only", fmt.Sprintf("is %q, want fallback or nothing", d.Only))
	}
	d.Breaker.Validate(report)
	d.Catchup.Validate(report)
}
