package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Catchup says how a sink gets what it has missed.
type Catchup struct {
	Order string `yaml:"order"` // oldest (default) or live_first
	Rate  Rate   `yaml:"rate"`  // of what was missed, such as 5000/s; default none
}

// Rate is a number of readings in a time. In the file it is written as 5000/s,
// 200/m or 10000/h. 0 is no limit.
type Rate float64

// UnmarshalText reads a number and a unit of time.
func (r *Rate) UnmarshalText(text []byte) error {
	number, unit, ok := strings.Cut(strings.TrimSpace(string(text)), "/")
	per, known := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[strings.TrimSpace(unit)]
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || !known || err != nil || !(n > 0 && n <= 1e9) {
		return fmt.Errorf("rate %q: want readings per time, such as 5000/s, 200/m or 10000/h", text)
	}
	*r = Rate(n / per.Seconds())
	return nil
}

// String returns r in readings per second.
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s" }

// Validate reports what is wrong with c, as Config.Validate does.
func (c *Catchup) Validate(report func(field, problem string)) {
	if c.Order != "oldest" && c.Order != "live_first" {
		report("catchup.order", fmt.Sprintf("is %q, want oldest or live_first", c.Order))
	}
}

// old is the age from which on a reading counts as missed.
const old = 10 * time.Second

// pause returns how long n readings take at rate r.
func (r Rate) pause(n int) time.Duration {
	if r == 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(r) * float64(time.Second))
}
