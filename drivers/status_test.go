package drivers_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/drivers"
)

// logTo returns a logger without times that writes to b.
func logTo(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestStatusLogsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		s := drivers.NewStatus(logTo(&log))
		check(t, s, drivers.Connecting, "", began)

		time.Sleep(time.Second)
		s.Down(errors.New("no route"))
		down := time.Now()
		time.Sleep(time.Second)
		s.Down(errors.New("refused"))
		check(t, s, drivers.Down, "refused", down)

		time.Sleep(1500 * time.Millisecond)
		s.Up("mqtt://h:1883")
		up := time.Now()
		time.Sleep(time.Second)
		s.Up("mqtt://h:1883")
		check(t, s, drivers.Up, "mqtt://h:1883", up)

		want := []string{
			`level=WARN msg="driver is down" err="no route"`,
			`level=INFO msg="driver is up again" via=mqtt://h:1883 down_for=2.5s`,
		}
		if got := strings.TrimSpace(log.String()); got != strings.Join(want, "\n") {
			t.Errorf("logged\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

func TestStatusFirstUp(t *testing.T) {
	var log bytes.Buffer
	s := drivers.NewStatus(logTo(&log))
	s.Up("COM1")
	if got := strings.TrimSpace(log.String()); got != `level=INFO msg="driver is up" via=COM1` {
		t.Errorf("logged %s", got)
	}
}

func check(t *testing.T, s *drivers.Status, state drivers.State, detail string, since time.Time) {
	t.Helper()
	want := drivers.Condition{State: state, Since: since, Detail: detail}
	if got := s.Condition(); got != want {
		t.Errorf("condition is %+v, want %+v", got, want)
	}
}

// A loop that has not come round long after it was to is late; one that waits for
// its devices is not, however long.
func TestStatusKnowsWhoIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := drivers.NewStatus(slog.New(slog.DiscardHandler))
		late := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(after)
			if got := s.Late(); got != want {
				t.Errorf("late by %v, want %v", got, want)
			}
		}
		late(24*time.Hour, 0)
		s.Within(10 * time.Second)
		late(70*time.Second, 0)
		late(5*time.Second, 5*time.Second)
		s.Rest()
		late(24*time.Hour, 0)
		s.Within(0)
		late(61*time.Second, time.Second)
	})
}
