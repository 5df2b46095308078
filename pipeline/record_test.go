package pipeline

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

func drawValue(t *rapid.T) protocol.Value {
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 1:
		return protocol.Float(rapid.Float64().Draw(t, "float"))
	case 2:
		return protocol.Int(rapid.Int64().Draw(t, "int"))
	case 3:
		return protocol.Uint(rapid.Uint64().Draw(t, "uint"))
	case 4:
		return protocol.Bool(rapid.Bool().Draw(t, "bool"))
	case 5:
		return protocol.String(rapid.String().Draw(t, "string"))
	case 6:
		return protocol.Bytes(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
	}
	return protocol.Value{}
}

func drawReading(t *rapid.T, devices []*protocol.Device) protocol.Reading {
	r := protocol.Reading{
		Device:       rapid.SampledFrom(devices).Draw(t, "device"),
		ReceivedTime: protocol.Timestamp(rapid.Int64Range(math.MinInt64/4, math.MaxInt64/4).Draw(t, "received")),
		SourceTime:   protocol.Timestamp(rapid.Int64Range(math.MinInt64/4, math.MaxInt64/4).Draw(t, "source")),
		ClockUnset:   rapid.Bool().Draw(t, "unset"),
		Skewed:       rapid.Bool().Draw(t, "skewed"),
		Historical:   rapid.Bool().Draw(t, "historical"),
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "metrics") {
		r.Metrics = append(r.Metrics, protocol.Metric{
			Name:    fmt.Sprint("m", rapid.IntRange(0, 20).Draw(t, "name"), i),
			Unit:    rapid.SampledFrom([]string{"", "°C", "V"}).Draw(t, "unit"),
			Value:   drawValue(t),
			Quality: protocol.Quality(rapid.IntRange(0, 2).Draw(t, "quality")),
		})
	}
	return r
}

// TestRecordsReadBackAsWritten encodes random batches into records, of which
// some are lost, and decodes the others.
func TestRecordsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var devices []*protocol.Device
		for i := range 4 {
			devices = append(devices, &protocol.Device{Name: fmt.Sprint("d", i), Profile: "p", Driver: "f", Tags: make([]protocol.Tag, i)})
		}
		enc, dec := newEncoder(), newDecoder()
		seq, intact := uint64(1), true
		for range rapid.IntRange(1, 10).Draw(t, "records") {
			b := &protocol.Batch{}
			for range rapid.IntRange(0, 5).Draw(t, "readings") {
				b.Readings = append(b.Readings, drawReading(t, devices))
			}
			if rapid.Bool().Draw(t, "void") {
				enc.encode(nil, []entry{{batch: b}}, nil)
				enc.forget()
			}
			notes := []note{{driver: "f", lost: true, acked: []protocol.Origin{{Driver: "f", PacketID: 3, Hash: 9}}}}
			payload := enc.encode(nil, []entry{{batch: b}}, notes)
			rec := journal.Record{Epoch: 5, Seq: seq, Count: len(b.Readings), Payload: payload}
			seq += uint64(len(b.Readings))
			if rapid.IntRange(0, 5).Draw(t, "damaged") == 0 {
				intact = false // later readings may refer to what this record declared
				continue
			}
			if err := dec.begin(rec); err != nil {
				t.Fatal(err)
			}
			for i, want := range b.Readings {
				var got protocol.Reading
				_, ok, err := dec.next(&got)
				if err != nil && !intact {
					continue
				}
				want.ID = protocol.ID{Epoch: 5, Seq: rec.Seq + uint64(i)}
				if !ok || err != nil || !same(got, want) {
					t.Fatalf("reading %d: %v %v\ngot  %+v\nwant %+v", i, ok, err, got, want)
				}
			}
			if _, ok, _ := dec.next(&protocol.Reading{}); ok {
				t.Fatal("more readings than were written")
			}
		}
	})
}

func same(a, b protocol.Reading) bool {
	da, db := *a.Device, *b.Device
	a.Device, b.Device = nil, nil
	if len(da.Tags) == 0 && len(db.Tags) == 0 {
		da.Tags, db.Tags = nil, nil
	}
	return reflect.DeepEqual(a, b) && reflect.DeepEqual(da, db)
}

func FuzzDecoder(f *testing.F) {
	enc := newEncoder()
	f.Add(enc.encode(nil, []entry{{batch: batch(protocol.Origin{}, nil, 1, 2, 3)}}, []note{{driver: "x", kept: []protocol.Origin{origin(4, false)}}}), uint16(3))
	f.Fuzz(func(t *testing.T, payload []byte, n uint16) {
		dec := newDecoder()
		rec := journal.Record{Seq: 1, Count: int(n), Payload: payload}
		recall(map[string]*resent{}, rec)
		if dec.begin(rec) != nil {
			return
		}
		var r protocol.Reading
		for {
			r.Metrics = r.Metrics[:0]
			_, ok, err := dec.next(&r)
			if !ok {
				return
			}
			if err == nil && r.Device == nil {
				t.Fatal("a reading without a device")
			}
		}
	})
}
