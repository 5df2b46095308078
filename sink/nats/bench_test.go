package nats_test

import (
	"bytes"
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

// BenchmarkReadBack reads 100,000 ids after a restart.
func BenchmarkReadBack(b *testing.B) {
	const gap = 100_000
	far := startServer(b, nil)
	begin := open(b, configFor(far.addr()))
	defer begin.Close()
	if err := begin.Write(context.Background(), readings("s1", 1, 1)); err != nil {
		b.Fatal(err)
	}
	memory := bytes.Clone(begin.Remember())
	if err := begin.Write(context.Background(), readings("s1", 2, gap)); err != nil {
		b.Fatal(err)
	}
	again := readings("s1", 2, 1000)
	b.ReportAllocs()
	for b.Loop() {
		s := open(b, configFor(far.addr()))
		s.Recall(memory)
		if err := s.Write(context.Background(), again); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(s.Traffic().Received)/gap, "bytes/message")
		s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/gap, "µs/message")
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
