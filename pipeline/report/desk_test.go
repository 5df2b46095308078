package report

import (
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

// noon is when the tests begin.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// bench is a desk under test, with a clock of its own.
type bench struct {
	*Desk
	t          testing.TB
	now        time.Time
	log        strings.Builder
	superseded int
	rules      *protocol.Reports
	sensor     *protocol.Device
}

// device returns a device with the rules.
func (b *bench) device(name string) *protocol.Device {
	return &protocol.Device{Name: name, Profile: "climate", Driver: "floor", Reports: b.rules}
}

func newBench(t testing.TB, rules protocol.Reports) *bench {
	b := &bench{t: t, now: noon}
	b.Desk = New(noon, slog.New(slog.NewTextHandler(&b.log, nil)))
	b.rules = &rules
	b.sensor = b.device("s1")
	return b
}

func (b *bench) Superseded() { b.superseded++ }

// m is a metric of good quality.
func m(name string, v protocol.Value) protocol.Metric { return protocol.Metric{Name: name, Value: v} }

func float(name string, v float64) protocol.Metric { return m(name, protocol.Float(v)) }

// at moves the clock to a time after noon.
func (b *bench) at(after time.Duration) {
	b.now = noon.Add(after)
	b.Look(b.now)
}

// bring returns what becomes of a reading with these metrics.
func (b *bench) bring(metrics ...protocol.Metric) verdict {
	return b.reading(protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(b.now), Metrics: metrics})
}

func (b *bench) reading(r protocol.Reading) verdict {
	batch := protocol.Batch{Readings: []protocol.Reading{r}}
	suppressed, held := b.Decide(&batch, b)
	switch {
	case suppressed+held+uint64(len(batch.Readings)) != 1:
		b.t.Fatalf("one reading became %d suppressed, %d held, %d reported", suppressed, held, len(batch.Readings))
	case suppressed == 1:
		return suppress
	case held == 1:
		return hold
	}
	return pass
}

// due takes what the desk hands out.
func (b *bench) due() []protocol.Reading {
	var out []protocol.Reading
	for _, made := range b.Due(b.now, 100, nil) {
		r := made.Batch.Readings[0]
		r.Metrics = slices.Clone(r.Metrics)
		out = append(out, r)
		if made.Batch.Done != nil {
			made.Batch.Done(nil)
		}
	}
	return out
}

func (b *bench) want(what string, got, want verdict) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func (v verdict) String() string { return [...]string{"suppressed", "held", "reported"}[v] }

func percent(width float64) *protocol.Deadband {
	return &protocol.Deadband{Width: width, Percent: true}
}

func TestDeadband(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name     string
		deadband *protocol.Deadband
		values   []protocol.Value // in turn
		reported string           // y or n for each
	}{
		{"any move", nil, []protocol.Value{protocol.Float(1), protocol.Float(1), protocol.Float(1.0000001), protocol.Float(1)}, "ynyy"},
		{"slow drift", deadband(0.2), floats(20, 20.1, 20.2, 20.3, 20.4, 20.5, 20.6), "ynnynny"},
		{"not more than", deadband(0.1), floats(21.3, 21.4, 21.2, 21.41), "ynny"},
		{"both ways", deadband(1), floats(0, -1, 1, -1.5, -0.5, 0), "ynnyny"},
		{"percent", percent(10), floats(100, 110, 89, 97, 98), "ynyny"},
		{"percent of nothing", percent(10), floats(0, 0, 0.001, 0), "ynyy"},
		{"nan", deadband(1), floats(1, nan, nan, 1, 1.5), "yynyn"},
		{"infinite", deadband(1), floats(1, inf, inf, -inf, 1), "yynyy"},
		{"percent of infinite", percent(1), floats(inf, 1, inf), "yyy"},
		{"null", deadband(1), []protocol.Value{protocol.Float(1), {}, {}, protocol.Float(1)}, "yyny"},
		{"texts", deadband(1), []protocol.Value{protocol.String("a"), protocol.String("a"), protocol.String("b")}, "yny"},
		{"bools", nil, []protocol.Value{protocol.Bool(true), protocol.Bool(true), protocol.Bool(false)}, "yny"},
		{"numbers of other types", nil, []protocol.Value{protocol.Int(21), protocol.Float(21), protocol.Uint(21), protocol.Float(21.5)}, "ynny"},
		{"zeros", nil, floats(0, math.Copysign(0, -1)), "yn"},
		{"large integers", nil, []protocol.Value{protocol.Int(1 << 60), protocol.Int(1<<60 + 1), protocol.Int(1<<60 + 1)}, "yyn"},
		{"a number becomes a text", deadband(1), []protocol.Value{protocol.Int(1), protocol.String("1"), protocol.Int(1)}, "yyy"},
	} {
		b := newBench(t, protocol.Reports{All: &protocol.Report{Deadband: c.deadband}})
		got := ""
		for i, v := range c.values {
			b.at(time.Duration(i) * time.Second)
			got += map[verdict]string{pass: "y", suppress: "n", hold: "h"}[b.bring(m("v", v))]
		}
		if got != c.reported {
			t.Errorf("%s: %v reported %s, want %s", c.name, c.values, got, c.reported)
		}
	}
}

func floats(values ...float64) (list []protocol.Value) {
	for _, v := range values {
		list = append(list, protocol.Float(v))
	}
	return list
}

func TestReadingGoesWholeWhenOneMetricIsDue(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Deadband: deadband(1)}, Metrics: map[string]protocol.Report{
		"door": {}, "level_*": {Deadband: deadband(10)}, "beat": {When: protocol.WhenAlways},
	}})
	b.want("first", b.bring(float("t", 20), float("level_a", 100)), pass)
	b.want("nothing", b.bring(float("t", 21), float("level_a", 110)), suppress)
	b.want("one", b.bring(float("t", 21), float("level_a", 111)), pass)
	b.want("the other was reported too", b.bring(float("t", 20), float("level_a", 111)), suppress)
	b.want("a metric that is new", b.bring(float("t", 21), float("level_b", 0)), pass)
	b.want("some of the metrics", b.bring(float("level_b", 5)), suppress)
	b.want("other order", b.bring(float("level_b", 5), float("level_a", 112), float("t", 21)), suppress)
	b.want("always", b.bring(float("t", 21), float("beat", 1)), pass)
	b.want("always", b.bring(float("t", 21), float("beat", 1)), pass)
}

func TestQualityIsReported(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Deadband: deadband(1), Min: span(time.Hour)}})
	bad := func(v float64) protocol.Metric {
		return protocol.Metric{Name: "t", Value: protocol.Float(v), Quality: protocol.Bad}
	}
	b.want("first", b.bring(float("t", 20)), pass)
	b.want("bad", b.bring(bad(20)), pass)
	b.want("still bad", b.bring(bad(20)), suppress)
	b.want("good", b.bring(float("t", 20)), pass)
}

func TestMax(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Max: span(10 * time.Minute)}})
	b.want("first", b.bring(float("t", 20)), pass)
	b.at(9 * time.Minute)
	b.want("early", b.bring(float("t", 20)), suppress)
	b.at(10 * time.Minute)
	b.want("at max", b.bring(float("t", 20)), pass)
	b.at(19 * time.Minute)
	b.want("early again", b.bring(float("t", 20)), suppress)
}

func TestMinHoldsTheLast(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Min: span(10 * time.Second)}})
	b.want("first", b.bring(float("t", 1)), pass)
	b.at(2 * time.Second)
	b.want("too soon", b.bring(float("t", 2)), hold)
	b.at(4 * time.Second)
	b.want("too soon", b.bring(float("t", 3)), hold)
	if b.superseded != 1 || len(b.due()) != 0 || b.Wait() != 6*time.Second {
		t.Errorf("%d superseded, wait %v", b.superseded, b.Wait())
	}
	b.at(10 * time.Second)
	out := b.due()
	if len(out) != 1 || out[0].Metrics[0].Value.Float() != 3 || out[0].ReceivedTime != protocol.At(noon.Add(4*time.Second)) {
		t.Errorf("after min went %+v", out)
	}
	b.want("the same", b.bring(float("t", 3)), suppress)
	b.at(15 * time.Second)
	b.want("another", b.bring(float("t", 4)), pass)
	b.want("there", b.bring(float("t", 5)), hold)
	b.want("and back", b.bring(float("t", 4)), suppress)
	b.at(time.Hour)
	if out := b.due(); len(out) != 0 || b.superseded != 2 || b.Wait() != 0 {
		t.Errorf("what was taken back went out: %+v, wait %v", out, b.Wait())
	}
}

func TestHeldReadingsOfOtherMetricsStay(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Min: span(time.Minute)}})
	for _, v := range []float64{1, 2} { // topics that hold one value each
		b.bring(float("a", v))
		b.bring(float("b", v))
	}
	late := protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(noon.Add(-time.Second)), Metrics: []protocol.Metric{float("a", 0)}}
	b.want("older than what is held", b.reading(late), pass)
	b.at(time.Minute)
	out := b.due()
	if len(out) != 2 || out[0].Metrics[0].Value.Float() != 2 || out[1].Metrics[0].Value.Float() != 2 || b.superseded != 0 {
		t.Errorf("went %+v, %d superseded", out, b.superseded)
	}
}

func TestHeldIsBounded(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Min: span(time.Minute)}})
	for _, v := range []float64{1, 2} {
		for i := range 2 * maxHeld {
			b.bring(float(strings.Repeat("m", i+1), v))
		}
	}
	if out := b.due(); len(out) != maxHeld {
		t.Errorf("%d readings went early, want %d", len(out), maxHeld)
	}
	if out := b.Flush(nil); len(out) != maxHeld {
		t.Errorf("%d readings were held, want %d", len(out), maxHeld)
	}
}

// Messages that queued up somewhere come at once, with the times of the device.
func TestIntervalsAreThoseOfTheDevice(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{Min: span(10 * time.Second), Max: span(time.Minute)}})
	got := ""
	for i := range 13 {
		r := protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(b.now), Metrics: []protocol.Metric{float("t", float64(i/2))}}
		r.SourceTime = protocol.At(noon.Add(time.Duration(i-100) * 5 * time.Second))
		got += b.reading(r).String()[:1]
	}
	if want := "rsrsrsrsrsrsr"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOldAndHistoricalReadingsPass(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{}})
	b.bring(float("t", 1))
	old := protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(noon), SourceTime: protocol.At(noon.Add(-time.Hour)), Metrics: []protocol.Metric{float("t", 1)}}
	b.want("older", b.reading(old), pass)
	b.bring(float("t", 1))
	old.Historical = true
	b.want("historical", b.reading(old), pass)
	b.want("the newest again", b.bring(float("t", 1)), suppress)
}

func TestForgottenIsReportedAgain(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{}})
	r := protocol.Reading{Device: b.sensor, ReceivedTime: protocol.At(noon), Metrics: []protocol.Metric{float("t", 1)}}
	b.reading(r)
	b.Forget(&protocol.Batch{Readings: []protocol.Reading{r}})
	b.want("after it was not kept", b.reading(r), pass)
	b.want("and then", b.reading(r), suppress)
}

// A driver that begins anew, after a reload, brings the same devices, perhaps with
// other rules.
func TestRulesChange(t *testing.T) {
	b := newBench(t, protocol.Reports{All: &protocol.Report{}})
	with := func(reports *protocol.Reports, v float64) verdict {
		b.rules = reports
		b.sensor = b.device("s1")
		return b.bring(float("t", v))
	}
	b.want("first", with(b.rules, 1), pass)
	b.want("the same rules", with(&protocol.Reports{All: &protocol.Report{}}, 1), suppress)
	slow := &protocol.Reports{All: &protocol.Report{Min: span(time.Hour)}}
	b.want("other rules", with(slow, 1), pass)
	b.want("held", with(slow, 2), hold)
	b.want("no rules", with(nil, 1), pass)
	if out := b.due(); len(out) != 1 || out[0].Metrics[0].Value.Float() != 2 {
		t.Errorf("what was held is %+v", out)
	}
	if len(b.Devices()) != 1 || len(b.devices) != 1 {
		t.Errorf("%d devices are known under %d pointers", len(b.Devices()), len(b.devices))
	}
	b.want("other rules again", with(slow, 1), pass)
	for i := range 100 {
		b.want("ever other rules", with(&protocol.Reports{All: &protocol.Report{Deadband: deadband(float64(i))}}, 1), pass)
	}
	if len(b.classes) > 3 {
		t.Errorf("%d classes are kept", len(b.classes))
	}
}
