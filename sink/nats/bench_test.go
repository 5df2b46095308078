package nats_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
	sinknats "sluice/sink/nats"
)

func BenchmarkStream(b *testing.B) {
	far := startServer(b, nil)
	cfg := configFor(far.addr())
	s, err := sinknats.New("hub", cfg, sinknats.Options{Gateway: "g", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	batch := readings("s1", 0, 1000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range batch {
			n++
			batch[i].ID.Seq = uint64(n)
		}
		if err := s.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublishAsync is the same with the library's own asynchronous publish.
func BenchmarkPublishAsync(b *testing.B) {
	far := startServer(b, nil)
	js, err := jetstream.New(far.client(b), jetstream.WithPublishAsyncMaxPending(512))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "READINGS", Subjects: []string{"readings.>"}, Duplicates: 2 * time.Minute}); err != nil {
		b.Fatal(err)
	}
	batch := readings("s1", 0, 1000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range batch {
			n++
			batch[i].ID.Seq = uint64(n)
			m := &nats.Msg{Subject: "readings.g.s1", Data: protocol.AppendJSON(nil, &batch[i]), Header: nats.Header{nats.MsgIdHdr: {batch[i].ID.String()}}}
			if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(time.Second)); err != nil {
				b.Fatal(err)
			}
		}
		<-js.PublishAsyncComplete()
	}
}
