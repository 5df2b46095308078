package nats_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/sink"
	sinknats "sluice/sink/nats"
	"sluice/sink/sinktest"
)

// openLogging makes a sink that logs to the returned text.
func openLogging(t *testing.T, cfg sinknats.Config) (*sinknats.Sink, *logText) {
	t.Helper()
	text := &logText{}
	out, err := sinknats.New("hub", cfg, sinknats.Options{Gateway: "plant-7", Log: slog.New(slog.NewTextHandler(text, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out, text
}

// logText is what was logged. The client's own goroutine logs too.
type logText struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestStreamThatDoesNotFit(t *testing.T) {
	far := startServer(t, nil)
	js, ctx := far.jetStream(t)
	for i, tt := range []struct {
		want string
		edit func(*jetstream.StreamConfig)
	}{
		{"", func(*jetstream.StreamConfig) {}},
		{"none of its subjects", func(c *jetstream.StreamConfig) { c.Subjects = []string{c.Subjects[0][:4] + ".s1"} }},
		{"duplicate_window 1s", func(c *jetstream.StreamConfig) { c.Duplicates = time.Second }},
		{"max_age 5m0s", func(c *jetstream.StreamConfig) { c.MaxAge = 5 * time.Minute }},
		{"max_msgs_per_subject 1", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 }},
		{"discard new", func(c *jetstream.StreamConfig) { c.Discard, c.MaxBytes = jetstream.DiscardNew, 1<<20 }},
		{"storage memory", func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }},
		{"max_msg_size 1000", func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 }},
		{"retention workqueue", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }},
	} {
		name := fmt.Sprint("fit", i)
		stream := jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Duplicates: 2 * time.Minute}
		tt.edit(&stream)
		if _, err := js.CreateStream(ctx, stream); err != nil {
			t.Fatalf("%s: %v", tt.want, err)
		}
		cfg := configFor(far.addr())
		cfg.Stream, cfg.Subject, cfg.Timeout = name, name+".{device}", 5*time.Second
		out, logged := openLogging(t, cfg)
		for range 2 {
			if err := out.Connect(t.Context()); err != nil {
				t.Errorf("%s: Connect: %v", tt.want, err)
			}
		}
		if n := strings.Count(logged.String(), "may not fit"); !strings.Contains(logged.String(), tt.want) || n > 1 || (n == 0) != (tt.want == "") {
			t.Errorf("logged, want %q once:\n%s", tt.want, logged)
		}
	}
}

func TestStreamThatAcknowledgesNothing(t *testing.T) {
	far := startServer(t, nil)
	js, ctx := far.jetStream(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}, NoAck: true}); err != nil {
		t.Fatal(err)
	}
	err := opened(t, configFor(far.addr())).Write(t.Context(), readings("s1", 1, 3))
	if err == nil || !strings.Contains(err.Error(), "no_ack") || sink.IsPermanent(err) {
		t.Errorf("Write = %v", err)
	}
}

// A work queue cannot be read back: what may be there twice is counted.
func TestWorkQueue(t *testing.T) {
	t.Parallel()
	h := startHub(t, func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy })
	h.deliver(readings("s1", 1, 5))
	h.restart()
	h.deliver(readings("s1", 6, 10)) // nothing came after the mark
	h.wantDuplicated(0)
	h.writeUnanswered(readings("s1", 16, 20))
	h.outlast()
	h.deliver(readings("s1", 16, 30))
	h.wantDuplicated(20)
	h.writeUnanswered(readings("s1", 46, 20))
	h.restart()
	h.deliver(readings("s1", 46, 10))
	h.wantDuplicated(10)
}

// The server alone recognises what comes twice while it can; what reads the
// stream back may not be allowed.
func TestReadingBackOnlyWhenNeeded(t *testing.T) {
	far := startServer(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "admin", Password: "a"},
			{Username: "gw", Password: "g", Permissions: &server.Permissions{
				Publish: &server.SubjectPermission{Allow: []string{"readings.>", "$JS.API.STREAM.INFO.READINGS"}},
			}},
		}
		o.NoAuthUser = "admin"
		o.NoSystemAccount = true
	})
	js, ctx := far.jetStream(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}, Duplicates: 2 * time.Minute}); err != nil {
		t.Fatal(err)
	}
	line := startLine(t, far.addr())
	cfg := configFor(line.addr())
	cfg.Username, cfg.Password, cfg.Timeout = "gw", "g", 5*time.Second
	out := opened(t, cfg)
	sinktest.Deliver(t, out, readings("s1", 1, 10))
	line.loseAnswers()
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := out.Write(short, readings("s1", 11, 10)); err == nil {
		t.Error("Write without answers = nil")
	}
	line.thaw()
	sinktest.Deliver(t, out, readings("s1", 11, 10))
	if n := len(far.messages(t, "READINGS")); n != 20 {
		t.Errorf("stored %d, want 20", n)
	}
	other := opened(t, cfg)
	other.Recall(out.Remember())
	sinktest.Deliver(t, other, readings("s1", 21, 10)) // nothing is behind the mark
	lost := opened(t, cfg)
	lost.Recall(out.Remember())
	err := lost.Write(t.Context(), readings("s1", 31, 10))
	if err == nil || !strings.Contains(err.Error(), "CONSUMER.CREATE") || !strings.Contains(err.Error(), "allow it") || sink.IsPermanent(err) {
		t.Errorf("Write that has to read back without permission = %v", err)
	}
}

func TestHistoricalReadingsAreMarked(t *testing.T) {
	far := startServer(t, nil)
	batch := readings("s1", 1, 2)
	batch[1].Historical = true
	out := opened(t, configFor(far.addr()))
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var marks []string
	for _, m := range far.messages(t, "READINGS") {
		marks = append(marks, m.Headers().Get("Sluice-Historical"))
		if m.Headers().Get("Nats-Msg-Id") == "" {
			t.Error("a message has no id")
		}
	}
	if !slices.Equal(marks, []string{"", "1"}) {
		t.Errorf("marks %q, want one on the second", marks)
	}
}

func TestTrafficCountsTheWire(t *testing.T) {
	far := startServer(t, nil)
	out := opened(t, configFor(far.addr()))
	if out.Traffic() != (sink.Traffic{}) {
		t.Error("traffic before the first Write")
	}
	if err := out.Write(t.Context(), readings("s1", 1, 100)); err != nil {
		t.Fatal(err)
	}
	connections, err := far.server.Connz(nil)
	if err != nil || len(connections.Conns) != 1 {
		t.Fatalf("connections %+v (%v)", connections, err)
	}
	payload := uint64(connections.Conns[0].InBytes) // without the protocol around it
	if got := out.Traffic(); got.Requests != 100 || got.Sent < payload || got.Sent > 2*payload || got.Received < 100*50 {
		t.Errorf("traffic %+v for %d bytes of payload", got, payload)
	}
}
