package influx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"

	"sluice/protocol"
	"sluice/sink/lineproto"
)

// worker sends the requests of a sink, or its share of them, one at a time.
type worker struct {
	sink   *Sink
	batch  batch
	zip    *gzip.Writer
	packed bytes.Buffer
	bodies bodies

	readings []protocol.Reading // its share of a Write
	index    []int              // of these in the Write
}

func newWorker(s *Sink, gateway string) (*worker, error) {
	encoder, err := lineproto.New(gateway, s.cfg.Format)
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewWriterLevel(io.Discard, gzipLevel)
	if err != nil {
		return nil, err
	}
	return &worker{sink: s, batch: batch{encoder: encoder}, zip: zip}, nil
}

// write stores the readings.
func (w *worker) write(ctx context.Context, readings []protocol.Reading) error {
	w.batch.encode(readings)
	if err := w.post(ctx, 0, len(readings)); err != nil {
		return err
	}
	return w.batch.verdict()
}

// namings is how often a request is sent again without lines that the server has
// named. A server that names them one by one would take longer than a Write may;
// then the delivery goes on to look for them in halves.
const namings = 4

// post writes the lines of readings lo to hi-1, in halves where the server says
// that they are too many.
func (w *worker) post(ctx context.Context, lo, hi int) error {
	for round := 0; ; round++ {
		lines := w.batch.linesOf(lo, hi)
		if len(lines) == 0 {
			return nil
		}
		if most := int(w.sink.most.Load()); hi-lo > 1 && most > 0 && len(lines) > most {
			return w.halve(ctx, lo, hi)
		}
		err := w.request(ctx, lines)
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			named := refused.answer.culprits(w.batch.split(lo, hi))
			if len(named) == 0 || round == namings {
				return err
			}
			w.batch.reject(lo, hi, named, w.sink.cfg.Bucket)
		case !errors.Is(err, errTooLarge):
			return err
		case hi-lo == 1:
			w.batch.rejectAlone(lo, err)
			return nil
		default:
			most := len(lines) / 2
			w.sink.most.Store(int64(most))
			w.sink.log.Warn("the server refuses large requests, sending smaller ones", "bytes", len(lines), "limit", most)
			return w.halve(ctx, lo, hi)
		}
	}
}

func (w *worker) halve(ctx context.Context, lo, hi int) error {
	mid := (lo + hi) / 2
	if err := w.post(ctx, lo, mid); err != nil {
		return err
	}
	return w.post(ctx, mid, hi)
}
