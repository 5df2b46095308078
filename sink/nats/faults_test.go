package nats_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
	"sluice/sink"
	sinknats "sluice/sink/nats"
	"sluice/sink/sinktest"
)

func TestHostileNamesStaySubjects(t *testing.T) {
	server := startServer(t, nil)
	js, ctx := server.jetStream(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "X", Subjects: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	out := opened(t, configFor(server.addr()))
	names := []string{
		"", "*", ">", ".", "a..b", "..", "$JS.API.STREAM.DELETE.X", "a b", "a\tb\r\nPUB x 0\r\n", "\x00", "\xff\xfe", "%", "_",
		strings.Repeat("a", 1000), strings.Repeat("a", 1001), strings.Repeat(".", 1000), "ünï/温度",
	}
	subjects := map[string]bool{}
	var batch []protocol.Reading
	for i, name := range names {
		batch = append(batch, readings(name, i, 1)...)
	}
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	stored := server.messages(t, "READINGS")
	for _, m := range stored {
		subjects[m.Subject()] = true
	}
	if len(stored) != len(names) || len(subjects) != len(names) {
		t.Errorf("%d names gave %d messages on %d subjects", len(names), len(stored), len(subjects))
	}
	if _, err := js.Stream(ctx, "X"); err != nil {
		t.Errorf("a device name deleted a stream: %v", err)
	}
}

func TestCreatedStreamIsDurable(t *testing.T) {
	server := startServer(t, nil)
	if err := opened(t, configFor(server.addr())).Write(t.Context(), readings("s1", 0, 3)); err != nil {
		t.Fatal(err)
	}
	js, ctx := server.jetStream(t)
	stream, err := js.Stream(ctx, "READINGS")
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.Storage != jetstream.FileStorage || cfg.Duplicates < 2*time.Minute || !slices.Equal(cfg.Subjects, []string{"readings.>"}) {
		t.Errorf("created %+v", cfg)
	}
}

func TestStreamMistakesAreExplained(t *testing.T) {
	server := startServer(t, nil)
	js, ctx := server.jetStream(t)
	for name, subject := range map[string]string{"OTHER": "other.>", "READINGS": "readings.>"} {
		if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{subject}}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		edit func(*sinknats.Config)
		want string
	}{
		{"absent", func(c *sinknats.Config) { c.Stream, c.Create = "ABSENT", false }, "stream ABSENT does not exist: create it, or set create: true"},
		{"taken subjects", func(c *sinknats.Config) { c.Stream = "NEW" }, "create stream NEW for readings.>: "},
		{"bound elsewhere", func(c *sinknats.Config) { c.Subject = "other.{device}" }, "bound to stream OTHER"},
		{"taken by none", func(c *sinknats.Config) { c.Subject = "nowhere.{device}" }, "no stream takes the subjects of nowhere.{device}"},
	}
	for _, tt := range tests {
		cfg := configFor(server.addr())
		tt.edit(&cfg)
		err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3))
		if err == nil || !strings.Contains(err.Error(), tt.want) || sink.IsPermanent(err) {
			t.Errorf("%s: Write = %v, want %q in it", tt.name, err, tt.want)
		}
	}
}

// The operator mends what is wrong, and the same sink goes on.
func TestStreamThatComesLater(t *testing.T) {
	server := startServer(t, nil)
	cfg := configFor(server.addr())
	cfg.Create = false
	out := opened(t, cfg)
	batch := readings("s1", 0, 3)
	if err := out.Write(t.Context(), batch); err == nil {
		t.Fatal("Write without a stream = nil")
	}
	js, ctx := server.jetStream(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}}); err != nil {
		t.Fatal(err)
	}
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(ctx, "READINGS"); err != nil {
		t.Fatal(err)
	}
	if err := out.Write(t.Context(), batch); err == nil || sink.IsPermanent(err) {
		t.Errorf("Write to a deleted stream = %v", err)
	}
}

func TestTooLargeReadingsAreRejectedAlone(t *testing.T) {
	far := startServer(t, func(o *server.Options) { o.MaxPayload = 4096 })
	js, ctx := far.jetStream(t)
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}, MaxMsgSize: 2048}); err != nil {
		t.Fatal(err)
	}
	batch := readings("s1", 0, 10)
	text := func(n int) protocol.Metric {
		return protocol.Metric{Name: "text", Value: protocol.String(strings.Repeat("x", n))}
	}
	batch[3].Metrics = []protocol.Metric{text(5000)} // more than the server takes
	batch[7].Metrics = []protocol.Metric{text(3000)} // more than the stream takes
	err := opened(t, configFor(far.addr())).Write(t.Context(), batch)
	sinktest.WantRejected(t, err, 3, 7)
	if stored := far.messages(t, "READINGS"); len(stored) != 8 {
		t.Errorf("stored %d messages, want 8", len(stored))
	}
	cfg := configFor(far.addr())
	cfg.Stream, cfg.Create, cfg.Subject = "", false, "plain.{device}"
	sinktest.WantRejected(t, opened(t, cfg).Write(t.Context(), batch), 3)
}

func TestSubjectsBeyondTheServersLineAreRejected(t *testing.T) {
	server := startServer(t, nil)
	cfg := configFor(server.addr())
	cfg.Subject = "readings." + strings.Repeat("{device}.", 12) + "x"
	out := opened(t, cfg)
	batch := slices.Concat(readings("s1", 0, 1), readings(strings.Repeat("é", 500), 1, 1), readings("s2", 2, 1))
	sinktest.WantRejected(t, out.Write(t.Context(), batch), 1)
}

func TestLoginMistakes(t *testing.T) {
	far := startServer(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "gw", Password: "s3cr3t"},
			{Username: "reader", Password: "s3cr3t", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"$JS.API.>"}}}},
		}
		o.NoSystemAccount = true
	})
	tests := []struct {
		name, user, password, want string
		plain                      bool
	}{
		{name: "no login", want: "Authorization Violation"},
		{name: "wrong password", user: "gw", password: "wr0ng", want: "Authorization Violation"},
		{name: "may not publish", user: "reader", password: "s3cr3t", plain: true, want: "Permissions Violation"},
		{name: "may not publish to the stream", user: "reader", password: "s3cr3t", want: "Permissions Violation"},
		{name: "right", user: "gw", password: "s3cr3t"},
	}
	for _, tt := range tests {
		cfg := configFor(far.addr())
		cfg.Username, cfg.Password = tt.user, protocol.Secret(tt.password)
		if tt.plain {
			cfg.Stream, cfg.Create = "", false
		}
		err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s: Write = %v", tt.name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(tt.want)) || sink.IsPermanent(err) {
			t.Errorf("%s: Write = %v, want %q in it", tt.name, err, tt.want)
		}
		if err != nil && tt.password != "" && strings.Contains(err.Error(), tt.password) {
			t.Errorf("%s: the password shows in %v", tt.name, err)
		}
	}
}

func TestRefusedConnectionNamesItsCause(t *testing.T) {
	server := startServer(t, nil)
	addr := server.addr()
	server.stop(t)
	out := opened(t, configFor(addr))
	for range 3 {
		if err := out.Write(t.Context(), readings("s1", 0, 1)); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("Write = %v, want the cause", err)
		}
	}
}

// A line that freezes in the middle of a Write: it ends with its context, and
// what was sent twice is stored once.
func TestFrozenLine(t *testing.T) {
	server := startServer(t, nil)
	line := startLine(t, server.addr())
	out := opened(t, configFor(line.addr()))
	if err := out.Write(t.Context(), readings("s1", 0, 10)); err != nil {
		t.Fatal(err)
	}
	line.freeze()
	batch := readings("s1", 10, 5000)
	for i := range batch {
		batch[i].Metrics = append(batch[i].Metrics, protocol.Metric{Name: "text", Value: protocol.String(strings.Repeat("x", 10_000))})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := out.Write(ctx, batch); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Write over a frozen line = %v", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Write took %v", took)
	}
	line.thaw()
	sinktest.Deliver(t, out, batch)
	if stored := server.messages(t, "READINGS"); len(stored) != 5010 {
		t.Errorf("stored %d messages, want 5010", len(stored))
	}
}

// Without an acknowledgement in time the connection is cut, so that what it holds
// cannot reach the stream after that has forgotten the ids.
func TestConnectionThatFallsSilentIsCut(t *testing.T) {
	server := startServer(t, nil)
	line := startLine(t, server.addr())
	cfg := configFor(line.addr())
	cfg.Timeout = 200 * time.Millisecond
	out := opened(t, cfg)
	sinktest.Deliver(t, out, readings("s1", 0, 10))
	line.freeze()
	if err := out.Write(t.Context(), readings("s1", 10, 10)); err == nil || !strings.Contains(err.Error(), "no acknowledgement within 200ms") {
		t.Errorf("Write over a frozen line = %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := out.Write(t.Context(), readings("s1", 10, 10))
		if err != nil && strings.HasPrefix(err.Error(), "connect to") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the connection stays: %v", err)
		}
	}
	line.thaw()
	sinktest.Deliver(t, out, readings("s1", 10, 10))
	if stored := server.messages(t, "READINGS"); len(stored) != 20 {
		t.Errorf("stored %d messages, want 20", len(stored))
	}
}

// nats.go gives up for good on an error that it does not know; the sink begins
// anew.
func TestConnectionThatNatsGoGivesUp(t *testing.T) {
	far := startServer(t, func(o *server.Options) { o.MaxControlLine = 600 })
	cfg := configFor(far.addr())
	cfg.Timeout = 2 * time.Second
	out := opened(t, cfg)
	if err := out.Write(t.Context(), readings("s1", 0, 1)); err != nil {
		t.Fatal(err)
	}
	cfg.Subject = "readings." + strings.Repeat("{device}.", 5) + "x"
	other := opened(t, cfg)
	if err := other.Write(t.Context(), readings(strings.Repeat("a", 190), 1, 1)); err == nil {
		t.Error("Write of a subject beyond the server's line = nil")
	}
	sinktest.Deliver(t, other, readings("s2", 2, 1))
}

func TestConnectionName(t *testing.T) {
	far := startServer(t, nil)
	out := opened(t, configFor(far.addr()))
	if err := out.Write(t.Context(), readings("s1", 0, 1)); err != nil {
		t.Fatal(err)
	}
	conns, err := far.server.Connz(nil)
	if err != nil || len(conns.Conns) != 1 || conns.Conns[0].Name != "sluice-plant-7-hub" {
		t.Errorf("connections %+v (%v)", conns, err)
	}
}
