package influx

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"sluice/protocol"
	"sluice/sink"
)

// share has every worker store the readings of its devices.
func (s *Sink) share(ctx context.Context, readings []protocol.Reading) error {
	for _, w := range s.workers {
		w.readings, w.index = w.readings[:0], w.index[:0]
	}
	for i := range readings {
		w := s.workers[maphash.String(s.seed, readings[i].Device.Name)%uint64(len(s.workers))]
		w.readings, w.index = append(w.readings, readings[i]), append(w.index, i)
	}
	results := make([]error, len(s.workers))
	var working sync.WaitGroup
	for i, w := range s.workers {
		if len(w.readings) > 0 {
			working.Go(func() { results[i] = w.write(ctx, w.readings) })
		}
	}
	working.Wait()
	return s.sum(results)
}

// sum makes one result of the workers'. What may pass comes before what is for good,
// which comes again with the next try.
func (s *Sink) sum(results []error) error {
	var permanent error
	var rejected []sink.Rejection
	for i, err := range results {
		var partial *sink.PartialError
		switch {
		case err == nil:
		case errors.As(err, &partial):
			for _, r := range partial.Rejected {
				rejected = append(rejected, sink.Rejection{Index: s.workers[i].index[r.Index], Err: r.Err})
			}
		case sink.IsPermanent(err):
			permanent = err
		default:
			return err
		}
	}
	if permanent != nil || len(rejected) == 0 {
		return permanent
	}
	slices.SortFunc(rejected, func(a, b sink.Rejection) int { return a.Index - b.Index })
	return &sink.PartialError{Rejected: rejected}
}
