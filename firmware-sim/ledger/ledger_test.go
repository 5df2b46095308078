package ledger_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/firmware-sim/ledger"
	"sluice/protocol"
)

const start protocol.Timestamp = 1763805600_000_000_000

// sample is reading n of a device that sends two values.
func sample(n int, timed bool) ledger.Sample {
	s := ledger.Sample{At: start + protocol.Timestamp(n)*1e6, Metrics: values(n)}
	if timed {
		s.Time = s.At
	}
	return s
}

func values(n int) []protocol.Metric {
	return []protocol.Metric{
		{Name: "t", Value: protocol.Float(float64(n%300) / 10), Unit: "°C"},
		{Name: "state", Value: protocol.String("ST")},
	}
}

// run sends count readings of one device, confirms them and delivers what
// mutate leaves of their numbers.
func run(timed bool, count int, mutate func(order []int) []int) ledger.Account {
	l := ledger.New("hub")
	var order []int
	for n := range count {
		l.Confirmed(l.Sent("s1", sample(n, timed)))
		order = append(order, n)
	}
	for _, n := range mutate(order) {
		deliver(l, n)
	}
	return l.Verdict("hub")
}

func deliver(l *ledger.Ledger, n int) {
	s := sample(n, true)
	l.Delivered("hub", "s1", s.Time, s.Metrics)
}

func TestEveryMutationIsFoundAndNamed(t *testing.T) {
	same := func(order []int) []int { return order }
	drop := func(order []int) []int { return slices.Delete(order, 400, 401) }
	double := func(order []int) []int { return slices.Insert(order, 401, 400) }
	late := func(order []int) []int { return slices.Insert(order, 420, 400) }
	swap := func(order []int) []int {
		order[400], order[401] = order[401], order[400]
		return order
	}
	cases := []struct {
		name   string
		mutate func([]int) []int
		want   ledger.Account
		kind   string
		number int64
	}{
		{"none", same, ledger.Account{Delivered: 1000}, "", 0},
		{"drop one", drop, ledger.Account{Delivered: 999, Lost: 1}, ledger.Lost, 401},
		{"double one", double, ledger.Account{Delivered: 1000, Duplicates: 1}, ledger.Duplicate, 401},
		{"double one later", late, ledger.Account{Delivered: 1000, Duplicates: 1}, ledger.Duplicate, 401},
		{"swap two", swap, ledger.Account{Delivered: 1000, Reordered: 1}, ledger.Reordered, 401},
	}
	for _, timed := range []bool{true, false} {
		for _, c := range cases {
			t.Run(fmt.Sprintf("%s, timed %v", c.name, timed), func(t *testing.T) {
				got := run(timed, 1000, c.mutate)
				check(t, got, c.want)
				if c.kind == "" {
					return
				}
				if len(got.Findings) != 1 || got.Findings[0].Kind != c.kind || got.Findings[0].Number != c.number {
					t.Errorf("findings %v, want %s of number %d", got.Findings, c.kind, c.number)
				}
			})
		}
	}
}

func check(t *testing.T, got, want ledger.Account) {
	t.Helper()
	g := [5]int64{got.Delivered, got.Lost, got.Duplicates, got.Wrong, got.Reordered}
	w := [5]int64{want.Delivered, want.Lost, want.Duplicates, want.Wrong, want.Reordered}
	if g != w || got.Unexpected != want.Unexpected {
		t.Errorf("delivered, lost, duplicates, wrong, reordered %v, unexpected %d; want %v, %d; %v",
			g, got.Unexpected, w, want.Unexpected, got.Findings)
	}
	if got.Clean() != (len(got.Findings) == 0) {
		t.Errorf("clean is %v with findings %v", got.Clean(), got.Findings)
	}
}

func TestAChangedValueIsFoundAndNamed(t *testing.T) {
	for _, timed := range []bool{true, false} {
		l := ledger.New("hub")
		for n := range 3 {
			l.Confirmed(l.Sent("s1", sample(n, timed)))
			s := sample(n, true)
			if n == 1 {
				s.Metrics[0].Value = protocol.Float(99)
			}
			l.Delivered("hub", "s1", s.Time, s.Metrics)
		}
		got := l.Verdict("hub")
		want := ledger.Account{Delivered: 3, Wrong: 1}
		if !timed { // only the values tell which reading it was
			want = ledger.Account{Delivered: 2, Lost: 1, Unexpected: 1}
		}
		check(t, got, want)
		if !strings.Contains(fmt.Sprint(got.Findings), "state=ST t=99") {
			t.Errorf("findings %v do not name the value", got.Findings)
		}
	}
}

func TestReadingsThatWereNeverSent(t *testing.T) {
	l := ledger.New("hub")
	l.Confirmed(l.Sent("s1", sample(0, true)))
	deliver(l, 0)
	deliver(l, 5)
	l.Delivered("hub", "ghost", start, values(0))
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 1, Unexpected: 2})
}

func TestWhatWasNeverConfirmedMayArriveOrNot(t *testing.T) {
	l := ledger.New("hub")
	l.Sent("s1", sample(0, true)) // never arrives
	l.Sent("s1", sample(1, true)) // arrives
	r := l.Sent("s1", sample(2, true))
	l.Resent(r)
	l.Confirmed(r)
	for _, n := range []int{1, 2, 2} { // both sendings arrive
		deliver(l, n)
	}
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 2})
	if sent, open := l.Totals(); sent != 3 || open != 2 {
		t.Errorf("sent %d, unconfirmed %d", sent, open)
	}
	deliver(l, 2)
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 2, Duplicates: 1})
}

func TestWhatIsTakenBackWasNotSent(t *testing.T) {
	l := ledger.New("hub")
	l.Unsent(l.Sent("s1", sample(0, true)))
	if sent, open := l.Totals(); sent != 0 || open != 0 {
		t.Errorf("sent %d, unconfirmed %d", sent, open)
	}
	check(t, l.Verdict("hub"), ledger.Account{})
}

func TestWhatIsInDoubtMayArriveOrNot(t *testing.T) {
	l := ledger.New("hub")
	for n := range 2 {
		r := l.Sent("s1", sample(n, true))
		l.Confirmed(r)
		l.Doubt(r)
	}
	deliver(l, 1)
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 1})
	if n := l.Outstanding("hub"); n != 0 {
		t.Errorf("outstanding %d", n)
	}
}

func TestValuesThatReturnLaterAreNotMixedUp(t *testing.T) {
	// Values repeat after 300 readings; the second round loses one.
	got := run(false, 900, func(order []int) []int { return slices.Delete(order, 350, 351) })
	check(t, got, ledger.Account{Delivered: 899, Lost: 1})
	if got.Findings[0].Number != 351 {
		t.Errorf("got %v", got.Findings)
	}
}

func TestByCount(t *testing.T) {
	l := ledger.New("hub")
	l.ByCount("s1")
	for range 10 {
		l.Confirmed(l.Sent("s1", ledger.Sample{At: start, Metrics: values(1)}))
	}
	if n := l.Outstanding("hub"); n != 10 {
		t.Errorf("outstanding %d", n)
	}
	for range 9 {
		deliver(l, 1)
	}
	got := l.Verdict("hub")
	check(t, got, ledger.Account{Delivered: 9, Lost: 1})
	if !slices.Equal(got.ByCount, []string{"s1"}) {
		t.Errorf("by count %v", got.ByCount)
	}
	deliver(l, 1)
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 10})
	deliver(l, 1)
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 10, Duplicates: 1})
	deliver(l, 2)
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 10, Duplicates: 1, Unexpected: 1})
}

func TestSinksHaveAccountsOfTheirOwn(t *testing.T) {
	l := ledger.New("hub", "history")
	for n := range 10 {
		l.Confirmed(l.Sent("s1", sample(n, true)))
		deliver(l, n)
	}
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 10})
	check(t, l.Verdict("history"), ledger.Account{Lost: 10})
	if a, b := l.Outstanding("hub"), l.Outstanding("history"); a != 0 || b != 10 {
		t.Errorf("outstanding %d and %d", a, b)
	}
}

func TestDeliveryMayOvertakeTheConfirmation(t *testing.T) {
	l := ledger.New("hub")
	r := l.Sent("s1", sample(0, true))
	deliver(l, 0)
	l.Confirmed(r)
	l.Confirmed(r)
	if n := l.Outstanding("hub"); n != 0 {
		t.Errorf("outstanding %d", n)
	}
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 1})
}

func device() protocol.Device {
	return protocol.Device{Name: "s1", Profile: "climate", Tags: []protocol.Tag{{Key: "area", Value: "a"}}}
}

// reading is a reading of many kinds of values, in the form of a sink.
func reading() protocol.Reading {
	d := device()
	return protocol.Reading{Device: &d, SourceTime: start, ReceivedTime: start + 5, Metrics: []protocol.Metric{
		{Name: "whole", Value: protocol.Float(21)},
		{Name: "fraction", Value: protocol.Float(1e-7)},
		{Name: "large", Value: protocol.Float(1e17)},
		{Name: "int", Value: protocol.Int(-5)},
		{Name: "exact", Value: protocol.Int(9007199254740993)},
		{Name: "uint", Value: protocol.Uint(18446744073709551615)},
		{Name: "on", Value: protocol.Bool(true)},
		{Name: "state", Value: protocol.String("S\"T\n")},
		{Name: "raw", Value: protocol.Bytes("\x00\xff")},
		{Name: "zero", Value: protocol.Float(0)},
		{Name: "time", Value: protocol.Float(1)},
	}}
}

func TestReadingsFromJSONAndPoints(t *testing.T) {
	r := reading()
	l := ledger.New("hub", "history")
	l.Expect(*r.Device)
	l.Confirmed(l.Sent("s1", ledger.Sample{Time: r.SourceTime, At: start, Metrics: r.Metrics}))
	if err := l.FromJSON("hub", protocol.AppendJSON(nil, &r)); err != nil {
		t.Fatal(err)
	}
	err := l.FromPoint("history", "climate", map[string]string{"device": "s1", "area": "a", "site": "x"}, map[string]any{
		"whole": 21.0, "fraction": 1e-7, "large": 1e17, "int": int64(-5), "exact": int64(9007199254740993),
		"uint": uint64(18446744073709551615), "on": true, "state": "S\"T\n", "raw": "AP8=", "zero": 0.0, "time_": 1.0,
	}, start)
	if err != nil {
		t.Fatal(err)
	}
	check(t, l.Verdict("hub"), ledger.Account{Delivered: 1})
	check(t, l.Verdict("history"), ledger.Account{Delivered: 1})
}

func TestTagsAndProfileAreCompared(t *testing.T) {
	for name, change := range map[string]func(*protocol.Device){
		`tag area is "b"`:           func(d *protocol.Device) { d.Tags = []protocol.Tag{{Key: "area", Value: "b"}} },
		`has 2 tags, not 1`:         func(d *protocol.Device) { d.Tags = append(d.Tags, protocol.Tag{Key: "x", Value: "y"}) },
		`profile is "x", not "clim`: func(d *protocol.Device) { d.Profile = "x" },
	} {
		r := reading()
		l := ledger.New("hub")
		l.Expect(device())
		l.Confirmed(l.Sent("s1", ledger.Sample{Time: r.SourceTime, Metrics: r.Metrics}))
		change(r.Device)
		if err := l.FromJSON("hub", protocol.AppendJSON(nil, &r)); err != nil {
			t.Fatal(err)
		}
		got := l.Verdict("hub")
		check(t, got, ledger.Account{Delivered: 1, Wrong: 1})
		if !strings.Contains(fmt.Sprint(got.Findings), name) {
			t.Errorf("got %v, want %s", got.Findings, name)
		}
	}
}

func TestWhatIsNoReadingIsAnError(t *testing.T) {
	l := ledger.New("hub")
	for _, payload := range []string{``, `[]`, `{"metrics":{"a":[1]}}`, `{"metrics":{"a":1e999}}`, `{"time":"x"}`} {
		if err := l.FromJSON("hub", []byte(payload)); err == nil {
			t.Errorf("%s: no error", payload)
		}
	}
	if err := l.FromPoint("hub", "m", nil, map[string]any{"a": struct{}{}}, 1); err == nil {
		t.Error("a strange field: no error")
	}
	if n := l.Deliveries("hub"); n != 0 {
		t.Errorf("noted %d", n)
	}
}

func TestAccountIsTheJSONOfARehearsal(t *testing.T) {
	got := run(true, 3, func(order []int) []int { return order[:2] })
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"carried":0,"delivered":2,"lost":1,"duplicates":0,"in_journal":0,"dropped":{},"dead_lettered":{},` +
		`"findings":[{"kind":"lost","device":"s1","number":3,"time":"2025-11-22T10:00:00.002Z"}]}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	got := run(true, 5000, func([]int) []int { return nil })
	if got.Lost != 5000 || len(got.Findings) != 20 {
		t.Errorf("lost %d, findings %d", got.Lost, len(got.Findings))
	}
}

func TestManyAtOnce(t *testing.T) {
	l := ledger.New("hub", "history")
	var senders sync.WaitGroup
	for d := range 8 {
		senders.Go(func() {
			name := fmt.Sprint("s", d)
			for n := range 500 {
				s := sample(n, d%2 == 0)
				r := l.Sent(name, s)
				l.Delivered("hub", name, s.At, s.Metrics)
				l.Confirmed(r)
				l.Delivered("history", name, s.At, s.Metrics)
			}
		})
	}
	senders.Wait()
	for _, sink := range []string{"hub", "history"} {
		check(t, l.Verdict(sink), ledger.Account{Delivered: 4000})
	}
}

func TestAReadingTakesLittleMemory(t *testing.T) {
	const devices, readings = 100, 3000
	l := ledger.New("hub", "history")
	before := heap()
	for n := range readings {
		s := sample(n, true)
		for d := range devices {
			l.Confirmed(l.Sent(names[d], s))
		}
	}
	per := float64(heap()-before) / devices / readings
	if per > 64 {
		t.Errorf("a reading takes %.1f bytes, want 64 at most", per)
	}
	t.Logf("a reading takes %.1f bytes", per)
	runtime.KeepAlive(l)
}

var names = func() (list [100]string) {
	for i := range list {
		list[i] = fmt.Sprint("device-", i)
	}
	return list
}()

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkSentConfirmedDelivered(b *testing.B) {
	l := ledger.New("hub")
	b.ReportAllocs()
	for n := range b.N {
		s := sample(n, true)
		l.Confirmed(l.Sent("s1", s))
		l.Delivered("hub", "s1", s.Time, s.Metrics)
	}
}

func BenchmarkFromJSON(b *testing.B) {
	l := ledger.New("hub")
	r := reading()
	l.Confirmed(l.Sent("s1", ledger.Sample{Time: r.SourceTime, Metrics: r.Metrics}))
	text := protocol.AppendJSON(nil, &r)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.FromJSON("hub", text); err != nil {
			b.Fatal(err)
		}
	}
}
