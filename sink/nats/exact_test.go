package nats_test

import (
	"context"
	"fmt"
	"log/slog"
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

// recognised is how long the streams of these tests recognise an id.
const recognised = 200 * time.Millisecond

// hub is a server with a stream that soon forgets ids, a line to it, and a sink
// at the end of the line.
type hub struct {
	*farServer
	t      *testing.T
	line   *line
	js     jetstream.JetStream
	ctx    context.Context
	out    *sinknats.Sink
	config sinknats.Config
	memory []byte // what the sink remembered last
	probes int
	logged logText
}

func startHub(t *testing.T, edit func(*jetstream.StreamConfig)) *hub {
	t.Helper()
	h := &hub{farServer: startServer(t, nil), t: t}
	h.line = startLine(t, h.addr())
	h.js, h.ctx = h.jetStream(t)
	h.createStream(edit)
	h.config = configFor(h.line.addr())
	h.config.Create, h.config.Timeout = false, 10*time.Second
	h.open()
	t.Cleanup(func() { h.out.Close() })
	return h
}

func (h *hub) createStream(edit func(*jetstream.StreamConfig)) {
	h.t.Helper()
	cfg := jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>", "other.>"}, Duplicates: recognised}
	if edit != nil {
		edit(&cfg)
	}
	h.await("the stream", func() bool { // the server may be deleting the last of that name, or starting
		ctx, cancel := context.WithTimeout(h.ctx, time.Second)
		defer cancel()
		_, err := h.js.CreateOrUpdateStream(ctx, cfg)
		return err == nil
	})
}

// open makes a new sink, which recalls the memory.
func (h *hub) open() {
	h.t.Helper()
	var err error
	h.out, err = sinknats.New("hub", h.config, sinknats.Options{Gateway: "plant-7", Log: slog.New(slog.NewTextHandler(&h.logged, nil))})
	if err != nil {
		h.t.Fatal(err)
	}
	h.out.Recall(h.memory)
}

// restart ends the sink as kill -9 does, and makes one that knows what this one
// remembered last.
func (h *hub) restart() {
	h.t.Helper()
	h.out.Close()
	h.await("the server to notice", func() bool {
		all, err := h.server.Connz(nil)
		return err == nil && !slices.ContainsFunc(all.Conns, func(c *server.ConnInfo) bool { return strings.HasPrefix(c.Name, "sluice") })
	})
	h.open()
}

// deliver writes until the sink has confirmed.
func (h *hub) deliver(readings []protocol.Reading) {
	h.t.Helper()
	sinktest.Deliver(h.t, h.out, readings)
	h.memory = slices.Clone(h.out.Remember())
}

// writeUnanswered writes readings of which the stream stores all and
// acknowledges none, and breaks the line. The last Write went well.
func (h *hub) writeUnanswered(readings []protocol.Reading) {
	h.t.Helper()
	want := h.state().Msgs + uint64(len(readings))
	h.line.loseAnswers()
	ended := make(chan error, 1)
	go func() { ended <- h.out.Write(h.ctx, readings) }()
	h.await("the stream to hold all", func() bool { return h.state().Msgs == want })
	h.line.thaw()
	if err := <-ended; err == nil {
		h.t.Error("Write without answers = nil")
	}
}

func (h *hub) state() jetstream.StreamState {
	h.t.Helper()
	stream, err := h.js.Stream(h.ctx, "READINGS")
	if err != nil {
		h.t.Fatal(err)
	}
	return stream.CachedInfo().State
}

func (h *hub) await(what string, done func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// outlast returns when the stream recognises none of the ids that it knew.
func (h *hub) outlast() {
	h.t.Helper()
	id := fmt.Sprint("probe ", h.probes)
	probe := func() (again bool) {
		h.probes++
		ack, err := h.js.Publish(h.ctx, fmt.Sprint("other.probe.", h.probes), nil, jetstream.WithMsgID(id))
		if err != nil {
			h.t.Fatal(err)
		}
		return ack.Duplicate
	}
	probe()
	h.await("the stream to forget", func() bool { return !probe() })
}

// ids returns the ids of the readings in the stream, in its order.
func (h *hub) ids() []uint64 {
	h.t.Helper()
	var all []uint64
	for _, m := range h.messages(h.t, "READINGS") {
		if id, err := protocol.ParseID(m.Headers().Get("Nats-Msg-Id")); err == nil {
			all = append(all, id.Seq)
		}
	}
	return all
}

// wantOnce wants the stream to hold these readings and no other, each once.
func (h *hub) wantOnce(want ...[]protocol.Reading) {
	h.t.Helper()
	var wanted []uint64
	for _, r := range slices.Concat(want...) {
		wanted = append(wanted, r.ID.Seq)
	}
	got := h.ids()
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		h.t.Errorf("the stream holds %d readings, want %d: %v\nwant %v", len(got), len(wanted), got, wanted)
	}
}

func (h *hub) wantDuplicated(n uint64) {
	h.t.Helper()
	if got := h.out.PossiblyDuplicated(); got != n {
		h.t.Errorf("%d readings possibly duplicated, want %d", got, n)
	}
}

func TestAcknowledgementsLostAtTheCut(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(*hub){
		"the line returns":     func(*hub) {},
		"the gateway restarts": (*hub).restart,
		"without a memory":     func(h *hub) { h.memory = nil; h.restart() },
		"with an old memory":   func(h *hub) { h.restart(); h.restart() },
		"the server restarts":  func(h *hub) { h.stop(h.t); h.start(h.t) },
		"on other subjects":    func(h *hub) { h.config.Subject = "other.{device}"; h.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, nil)
			before, batch := readings("s1", 1, 10), readings("s1", 11, 700)
			h.deliver(before)
			h.writeUnanswered(batch[:500])
			h.outlast()
			between(h)
			h.deliver(batch)
			h.wantOnce(before, batch)
			h.wantDuplicated(0)
			if !slices.IsSorted(h.ids()) {
				t.Error("the order of the device is lost")
			}
		})
	}
}

// A subject that is full refuses its reading, those behind it are stored.
func TestRefusedInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(*hub){"in one run": func(*hub) {}, "over a restart": (*hub).restart} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, func(c *jetstream.StreamConfig) {
				c.Discard, c.DiscardNewPerSubject, c.MaxMsgsPerSubject = jetstream.DiscardNew, true, 1
			})
			var batch []protocol.Reading
			for i := range 100 {
				batch = append(batch, readings(string(rune('A'+i)), i, 1)...)
			}
			batch[30].Device = batch[7].Device
			batch[60].Device = batch[7].Device
			err := h.out.Write(h.ctx, batch)
			if err == nil || !strings.Contains(err.Error(), "make room, or raise its limits") || sink.IsPermanent(err) {
				t.Fatalf("Write to a full stream = %v", err)
			}
			if n := len(h.ids()); n != 98 {
				t.Fatalf("stored %d, want 98", n)
			}
			h.outlast()
			h.createStream(nil)
			between(h)
			h.deliver(batch)
			h.wantOnce(batch[1:], batch[:1])
			h.wantDuplicated(0)
		})
	}
}

// With live_first old and new readings alternate, and either may be in doubt.
func TestOldAndNewAlternate(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(*hub){"in one run": func(*hub) {}, "over a restart": (*hub).restart} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, nil)
			old, live := readings("s1", 1, 300), readings("s1", 1001, 300)
			h.deliver(live[:100])
			h.writeUnanswered(old[:100])
			h.deliver(live[100:110])
			h.outlast()
			h.deliver(live[110:120])
			h.writeUnanswered(live[120:200])
			h.outlast()
			h.deliver(old[:50])
			between(h)
			h.deliver(live[120:130])
			h.deliver(old[50:120])
			h.outlast()
			between(h)
			h.deliver(live[130:])
			h.deliver(old[120:])
			h.wantOnce(old, live)
			h.wantDuplicated(0)
		})
	}
}

// A dead letter was never stored, so nothing knows its id, however old it is.
func TestDeadLetterReplayed(t *testing.T) {
	t.Parallel()
	h := startHub(t, func(c *jetstream.StreamConfig) { c.MaxMsgSize = 2048 })
	batch := readings("s1", 1, 10)
	good := batch[4].Metrics
	batch[4].Metrics = []protocol.Metric{{Name: "text", Value: protocol.String(strings.Repeat("x", 3000))}}
	sinktest.WantRejected(t, h.out.Write(h.ctx, batch), 4)
	h.memory = slices.Clone(h.out.Remember())
	later := readings("s1", 11, 10)
	h.deliver(later)
	h.outlast()
	h.restart()
	h.deliver(readings("s1", 21, 5))
	batch[4].Metrics = good
	h.writeUnanswered(batch[4:5])
	h.outlast()
	h.deliver(readings("s1", 26, 5))
	h.restart()
	h.deliver(batch[4:5])
	h.wantOnce(batch, later, readings("s1", 21, 10))
}

func TestStreamThatLostItsMessages(t *testing.T) {
	t.Parallel()
	purge := func(h *hub) {
		stream, err := h.js.Stream(h.ctx, "READINGS")
		if err != nil || stream.Purge(h.ctx) != nil {
			h.t.Fatalf("purge: %v", err)
		}
	}
	recreate := func(h *hub) {
		if err := h.js.DeleteStream(h.ctx, "READINGS"); err != nil {
			h.t.Fatal(err)
		}
		h.createStream(nil)
	}
	memory := func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }
	for name, lose := range map[string]func(*hub){
		"in memory":            func(h *hub) { h.stop(h.t); h.start(h.t); h.createStream(memory) },
		"purged":               purge,
		"recreated":            recreate,
		"purged, restarted":    func(h *hub) { purge(h); h.restart() },
		"recreated, restarted": func(h *hub) { recreate(h); h.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHub(t, map[string]func(*jetstream.StreamConfig){"in memory": memory}[name])
			h.deliver(readings("s1", 1, 10))
			batch := readings("s1", 11, 50)
			h.writeUnanswered(batch)
			h.outlast()
			lose(h)
			h.deliver(batch)
			h.wantOnce(batch)
			h.wantDuplicated(50)
			if n := strings.Count(h.logged.String(), "may be stored twice"); n != 1 {
				t.Errorf("logged %d times:\n%s", n, &h.logged)
			}
			h.deliver(readings("s1", 61, 10))
			h.restart()
			h.deliver(readings("s1", 71, 10))
			h.wantDuplicated(0)
		})
	}
}

// Others write to the stream behind the mark, on subjects of their own, and some
// that look like ours.
func TestStreamThatOthersFill(t *testing.T) {
	t.Parallel()
	h := startHub(t, nil)
	before, batch := readings("s1", 1, 1000), readings("s1", 1001, 20)
	h.deliver(before)
	h.writeUnanswered(batch)
	fill := func(subject string, n int) {
		for range n {
			if _, err := h.js.PublishAsync(subject, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		<-h.js.PublishAsyncComplete()
	}
	fill("other.x", 3000)
	fill("readings.plant-8.s1", 3000)
	fill("readings.plant-7.visitor", 10)
	h.outlast()
	h.restart()
	h.deliver(batch)
	h.wantOnce(before, batch)
	if got := h.out.Traffic().Received; got > 20_000 {
		t.Errorf("read %d bytes for 20 messages of this gateway", got)
	}
}
