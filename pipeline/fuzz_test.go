package pipeline

import (
	"runtime"
	"testing"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// FuzzRecord decodes any payload: without a panic, with memory in proportion to
// its size, and so that what decodes cleanly reads back the same when it is
// written again.
func FuzzRecord(f *testing.F) {
	enc := newEncoder()
	for round := range 6 {
		b := goldenBatch(round)
		o := []protocol.Origin{{Driver: "floor", PacketID: 3, Hash: 9}}
		f.Add(enc.encode(nil, []entry{{batch: b}}, []note{{driver: "floor", lost: true, acked: o, kept: o}}), uint16(len(b.Readings)))
		if round == 2 {
			enc.forget()
		}
	}
	// Dictionaries that claim to know much, and lists that claim to be long.
	f.Add([]byte("\x01\x01\xff\xff\xff\x7f\x01\x00\x00\x00\x00\xff\xff\xff\x7f\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint16(1))
	f.Add([]byte("\x01\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), uint16(65535))
	f.Fuzz(func(t *testing.T, payload []byte, n uint16) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		readings, clean := decodeAll(journal.Record{Epoch: 5, Seq: 1, Count: int(n), Payload: payload})
		runtime.ReadMemStats(&after)
		if used, bound := after.TotalAlloc-before.TotalAlloc, uint64(32<<20+1024*len(payload)); used > bound {
			t.Fatalf("allocates %d bytes for a payload of %d", used, len(payload))
		}
		if !clean {
			return
		}
		again := newEncoder().encode(nil, []entry{{batch: &protocol.Batch{Readings: readings}}}, nil)
		second, clean := decodeAll(journal.Record{Epoch: 5, Seq: 1, Count: len(readings), Payload: again})
		if !clean || len(second) != len(readings) {
			t.Fatalf("%d readings, then %d, clean: %v", len(readings), len(second), clean)
		}
		for i := range readings {
			if !same(readings[i], second[i]) {
				t.Fatalf("reading %d\n%+v\nreads back as\n%+v", i, readings[i], second[i])
			}
		}
	})
}

// decodeAll returns the readings of a record, and whether there was nothing wrong
// with it.
func decodeAll(rec journal.Record) (readings []protocol.Reading, clean bool) {
	recall(map[string]*resent{}, rec)
	dec := newDecoder()
	if dec.begin(rec) != nil {
		return nil, false
	}
	clean = true
	for {
		var m protocol.Reading
		_, ok, err := dec.next(&m)
		if !ok {
			return readings, clean
		}
		if err != nil {
			clean = false
			continue
		}
		readings = append(readings, m)
	}
}
