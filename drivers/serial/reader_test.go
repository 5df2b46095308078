package serial

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
	"sluice/protocol/payload/nmea"
)

func testConfig(path string) Config {
	c := DefaultConfig()
	c.Port, c.Line = path, "9600 8N1"
	return c
}

// testDevice sends lines such as "v=17".
func testDevice() Device {
	return Device{
		Name:    "scale-1",
		Profile: "scale",
		Decode:  &payload.Profile{Decode: payload.Decode{Regex: `^v=(?P<value>[0-9]+)$`}},
		Tags:    []protocol.Tag{{Key: "area", Value: "gate"}},
	}
}

func newReader(t testing.TB, c Config, dev Device) *reader {
	t.Helper()
	d, err := New("scale", c, []Device{dev}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &d.reader
}

// readAll has r read until from fails, and reports whether anything came.
func readAll(r *reader, from source, e drivers.Emitter) (heard bool, err error) {
	r.begin()
	for err == nil {
		if err = r.arm(from, time.Time{}); err == nil {
			err = r.read(from, e)
		}
	}
	return r.heard, err
}

// pieces gives one of them for each Read, then io.EOF.
type pieces []string

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	*p = (*p)[1:]
	return n, nil
}

func (p *pieces) SetReadDeadline(time.Time) error { return nil }

func TestLineEnds(t *testing.T) {
	for _, test := range []struct {
		eol  string
		sent pieces
		want []int
	}{
		{"auto", pieces{"v=1\nv=2\r\nv=3\rv=4\n"}, []int{1, 2, 3, 4}},
		{"auto", pieces{"v=1\r", "\nv=2\r", "\nv=", "3", "\n"}, []int{1, 2, 3}},
		{"lf", pieces{"v=1\nv=2\n\n\nv=3\n"}, []int{1, 2, 3}},
		{"crlf", pieces{"v=1\r\nv=2\r", "\nv=3"}, []int{1, 2}},
		{"cr", pieces{"v", "=", "1\rv=2\r"}, []int{1, 2}},
	} {
		c := testConfig("/dev/null")
		c.Frame.Lines = &frame.Lines{EOL: test.eol}
		e := drivertest.NewEmitter(t)
		r := newReader(t, c, testDevice())
		sent := fmt.Sprintf("%q", test.sent)
		if heard, err := readAll(r, &test.sent, e); !heard || err == nil {
			t.Errorf("%s %s: read gave %v, %v", test.eol, sent, heard, err)
		}
		if got := drivertest.Values(e.Readings()); !slices.Equal(got, test.want) {
			t.Errorf("%s %s: got %v, want %v", test.eol, sent, got, test.want)
		}
	}
}

func TestLinesOfOneReadAreOneBatch(t *testing.T) {
	var burst strings.Builder
	for v := range 100 {
		fmt.Fprintf(&burst, "v=%d\r\n", v)
	}
	e := drivertest.NewEmitter(t)
	_, _ = readAll(newReader(t, testConfig("/dev/null"), testDevice()), &pieces{burst.String(), "v=100\n"}, e)
	readings := e.Readings()
	if batches := len(e.Origins()); batches != 2 || len(readings) != 101 {
		t.Fatalf("%d readings came in %d batches, want 101 in 2", len(readings), batches)
	}
	for i, r := range readings {
		want := protocol.Device{Name: "scale-1", Profile: "scale", Driver: "scale"}
		if got := *r.Device; got.Name != want.Name || got.Profile != want.Profile || got.Driver != want.Driver || len(got.Tags) != 1 {
			t.Fatalf("reading %d is of %+v", i, got)
		}
		if i < 100 && r.ReceivedTime != readings[0].ReceivedTime {
			t.Fatalf("reading %d was received at another time than its batch", i)
		}
	}
}

func TestRejected(t *testing.T) {
	c := testConfig("/dev/null")
	c.Frame.Lines = &frame.Lines{Max: 16}
	e := drivertest.NewEmitter(t)
	long := strings.Repeat("x", 40)
	r := newReader(t, c, testDevice())
	_, _ = readAll(r, &pieces{"\xff\xfe=1\nv=1\n" + long, long + "\nv=2\n", long + "\n", "v="}, e)
	// The line that was cut is not glued to the first of the next connection.
	_, _ = readAll(r, &pieces{"3\nv=4\n"}, e)
	if got, want := drivertest.Values(e.Readings()), []int{1, 2, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	want := map[drivertest.Rejection]int{{Device: "scale-1", Reason: "too_long"}: 2}
	got := e.Rejected()
	for r, n := range got {
		if r.Reason != "too_long" {
			delete(got, r)
			want[drivertest.Rejection{Device: "scale-1", Reason: "undecodable"}] += n
			got[drivertest.Rejection{Device: r.Device, Reason: "undecodable"}] += n
		}
	}
	if want[drivertest.Rejection{Device: "scale-1", Reason: "undecodable"}] != 2 || !maps.Equal(got, want) {
		t.Errorf("rejected %v", e.Rejected())
	}
}

// instant takes every batch and is done with it at once.
type instant struct{ readings int }

func (e *instant) Emit(b *protocol.Batch) bool {
	e.readings += len(b.Readings)
	b.Done(nil)
	return true
}

func jsonDevice() Device {
	dev := testDevice()
	dev.Decode = &payload.Profile{
		Decode:  payload.Decode{JSON: &payload.JSON{}},
		Metrics: map[string]payload.Metric{"t": {Unit: "°C"}, "rh": {Unit: "%"}},
	}
	return dev
}

func BenchmarkTake(b *testing.B) {
	r, e := newReader(b, testConfig("/dev/null"), jsonDevice()), &instant{}
	received := []byte(strings.Repeat(`{"t":21.5,"rh":45}`+"\r\n", 10))
	b.ReportAllocs()
	for b.Loop() {
		r.take(received, 1, e)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(e.readings), "ns/reading")
}

// TestNoiseIsCounted: bytes that belong to no frame, a frame with a wrong
// checksum, a metric that cannot be read.
func TestNoiseIsCounted(t *testing.T) {
	c := testConfig("/dev/null")
	c.Frame = frame.Config{NMEA: &frame.NMEA{}}
	dev := testDevice()
	dev.Decode = &payload.Profile{Decode: payload.Decode{NMEA: &nmea.Config{}}, Metrics: map[string]payload.Metric{"speed": {Type: "int"}, "course": {}}}
	e := drivertest.NewEmitter(t)
	const good = "$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K*48\r\n"
	stream := pieces{"??" + good, "\x00\xff" + good[:40] + "00\r\n", good}
	_, _ = readAll(newReader(t, c, dev), &stream, e)
	if got := e.Readings(); len(got) != 2 || len(got[0].Metrics) != 1 || got[0].Metrics[0].Name != "course" {
		t.Errorf("got %+v", got)
	}
	if got := e.Rejected(); len(got) != 1 || got[drivertest.Rejection{Device: dev.Name, Reason: "checksum"}] != 1 {
		t.Errorf("rejected %v", got)
	}
	if got := e.Skipped(); got < 4 || got > 4+int64(len(good)) {
		t.Errorf("%d bytes skipped", got)
	}
}
