package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sluice/firmware-sim/ledger"
	"sluice/pipeline"
)

// accounts is the outcome of a rehearsal, in readings.
type accounts struct {
	Seed       uint64                     `json:"seed"`
	Duration   float64                    `json:"duration_s"`
	Devices    int                        `json:"devices"`
	Sent       int64                      `json:"sent"`
	Accepted   int64                      `json:"accepted"`   // journaled + suppressed
	Suppressed map[string]int64           `json:"suppressed"` // by the driver whose devices report rules hold back
	Rejected   map[string]int64           `json:"rejected"`
	Dropped    map[string]int64           `json:"dropped"`
	Refused    int64                      `json:"refused"` // and sent again by the broker
	Duplicate  int64                      `json:"duplicate"`
	Excused    int64                      `json:"excused,omitempty"` // sent by devices that a fault strikes: they do not count
	Struck     map[string]int64           `json:"struck,omitempty"`  // how often faults have struck, by their kind
	Sinks      map[string]*ledger.Account `json:"sinks"`
	Problems   []string                   `json:"problems,omitempty"`
	OK         bool                       `json:"ok"`

	intakes []pipeline.IntakeStats // one per driver, for the table
}

// accounts closes the books: what the devices sent and the sinks got against
// what the gateway counted.
func (r *rehearsal) accounts() *accounts {
	s := r.gateway.pipeline.Stats()
	sent, unconfirmed := r.ledger.Totals()
	a := &accounts{
		Seed: r.seed, Duration: r.talked.Seconds(), Devices: r.fleet.Progress().Devices, Sent: sent,
		Suppressed: map[string]int64{}, Rejected: map[string]int64{}, Dropped: map[string]int64{},
		Excused: r.ledger.Excused(), Struck: r.struck(), Sinks: map[string]*ledger.Account{},
	}
	for _, i := range s.Intakes {
		a.addIntake(i)
	}
	for _, d := range r.gateway.pipeline.Devices() {
		r.ledger.Suppressed(d.Device.Name, int64(d.Suppressed))
	}
	for _, x := range s.Rejections {
		a.Rejected[x.Reason] += int64(x.Count)
	}
	if unconfirmed > a.Excused {
		a.problem("%d messages were never acknowledged by the broker", unconfirmed-a.Excused)
	}
	if a.Accepted < sent-a.Excused || a.Accepted > sent && len(a.Struck) == 0 {
		a.problem("%d readings were sent and %d accepted", sent, a.Accepted)
	}
	for _, fault := range r.fleet.BusFaults() {
		a.problem("%s", fault)
	}
	for _, d := range s.Deliveries {
		account := r.ledger.Verdict(d.Name)
		a.addDelivery(d, &account)
	}
	a.OK = len(a.Problems) == 0
	return a
}

// struck sums up how often faults have struck.
func (r *rehearsal) struck() map[string]int64 {
	all := map[string]int64{}
	for _, b := range r.fleet.BusCounts() {
		for kind, n := range b.Struck {
			all[kind] += n
		}
	}
	return all
}

func (a *accounts) problem(format string, args ...any) {
	a.Problems = append(a.Problems, fmt.Sprintf(format, args...))
}

func (a *accounts) addIntake(i pipeline.IntakeStats) {
	a.intakes = append(a.intakes, i)
	a.Accepted += int64(i.Journaled + i.Suppressed)
	if i.Suppressed > 0 {
		a.Suppressed[i.Driver] = int64(i.Suppressed)
	}
	a.Refused += int64(i.Refused)
	a.Duplicate += int64(i.Duplicate)
	if i.Dropped > 0 {
		a.Dropped["full"] += int64(i.Dropped)
	}
	if fates := i.Rejected + i.Duplicate + i.Refused + i.Dropped + i.Suppressed + i.InIntake + i.Journaled; i.Received != fates {
		a.problem("driver %s received %d readings and accounts for %d", i.Driver, i.Received, fates)
	}
}

// addDelivery fills in the gateway's side of a sink. What the gateway says that
// it still has, or has set aside, is not lost.
func (a *accounts) addDelivery(d pipeline.DeliveryStats, account *ledger.Account) {
	account.Carried, account.InJournal = int64(d.Carried), int64(d.InJournal)
	evicted := d.Evicted.Total()
	if evicted > 0 {
		account.Dropped["evicted"] = int64(evicted)
	}
	if d.Damaged > 0 {
		account.Dropped["damaged"] = int64(d.Damaged)
	}
	if d.DeadLettered > 0 {
		account.DeadLettered["rejected"] = int64(d.DeadLettered)
	}
	known := int64(d.InJournal + evicted + d.Damaged + d.DeadLettered)
	account.Lost = max(0, account.Lost-known)
	if !account.Clean() || known > 0 {
		a.problem("sink %s: %d lost, %d doubled, %d wrong, %d unexpected, %d out of order, %d not delivered",
			d.Name, account.Lost, account.Duplicates, account.Wrong, account.Unexpected, account.Reordered, known)
	}
	wanted := d.Carried + d.Journaled + d.Backfilled
	if fates := d.Delivered + d.Diverted + d.DeadLettered + evicted + d.Damaged + d.InJournal; wanted != fates {
		a.problem("sink %s had %d readings to deliver and accounts for %d", d.Name, wanted, fates)
	}
	a.Sinks[d.Name] = account
}

func (a *accounts) writeJSON(w io.Writer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// writeTable prints the accounts for people.
func (a *accounts) writeTable(s *screen) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d devices sent %d readings in %v (seed %d)\n\n", a.Devices, a.Sent, time.Duration(a.Duration*float64(time.Second)), a.Seed)
	a.writeDrivers(&b)
	a.writeSinks(&b)
	for _, p := range a.Problems {
		fmt.Fprintln(&b, s.red(p))
	}
	for _, kind := range sortedKeys(a.Struck) {
		fmt.Fprintf(&b, "fault %s struck %s\n", kind, count(int(a.Struck[kind]), "time"))
	}
	if a.Excused > 0 {
		fmt.Fprintf(&b, "%d readings do not count: a fault struck their devices\n", a.Excused)
	}
	if a.OK && a.Excused > 0 {
		fmt.Fprintln(&b, s.green("every other reading is accounted for"))
	} else if a.OK {
		fmt.Fprintln(&b, s.green("every reading is accounted for"))
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

func (a *accounts) writeDrivers(b *strings.Builder) {
	fmt.Fprintf(b, "%-14s %10s %10s %9s %9s %9s %9s\n", "driver", "received", "accepted", "rejected", "duplicate", "refused", "dropped")
	for _, i := range a.intakes {
		fmt.Fprintf(b, "%-14s %10d %10d %9d %9d %9d %9d\n", i.Driver, i.Received, i.Journaled+i.Suppressed, i.Rejected, i.Duplicate, i.Refused, i.Dropped)
	}
	for _, driver := range sortedKeys(a.Suppressed) {
		fmt.Fprintf(b, "  suppressed: %d of %s, by report rules\n", a.Suppressed[driver], driver)
	}
	for _, reason := range sortedKeys(a.Rejected) {
		fmt.Fprintf(b, "  rejected: %s %d\n", reason, a.Rejected[reason])
	}
	b.WriteByte('\n')
}

func (a *accounts) writeSinks(b *strings.Builder) {
	fmt.Fprintf(b, "%-14s %10s %10s %9s %9s %9s %9s\n", "sink", "delivered", "in_journal", "lost", "doubled", "wrong", "disorder")
	for _, name := range sortedKeys(a.Sinks) {
		k := a.Sinks[name]
		fmt.Fprintf(b, "%-14s %10d %10d %9d %9d %9d %9d\n", name, k.Delivered, k.InJournal, k.Lost, k.Duplicates, k.Wrong+k.Unexpected, k.Reordered)
		if dead := sum(k.DeadLettered); dead > 0 {
			fmt.Fprintf(b, "  dead letters: %d\n", dead)
		}
		if len(k.ByCount) > 0 {
			fmt.Fprintf(b, "  %d devices have too few different values to tell readings apart and were counted only, such as %s\n", len(k.ByCount), k.ByCount[0])
		}
		for _, finding := range k.Findings {
			fmt.Fprintf(b, "  %v\n", finding)
		}
	}
	b.WriteByte('\n')
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
