package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// DeadSummary is what is kept of the readings that a sink has rejected for good.
type DeadSummary struct {
	Sink      string
	Letters   uint64
	Bytes     int64
	Oldest    time.Time // when one was last rejected, zero without
	Newest    time.Time
	Unfit     uint64        // of Letters: cannot be replayed
	Reasons   []ReasonCount // the most frequent first, at most five
	Replaying uint64        // that are yet to be delivered once more; not among Letters
}

// ReasonCount is how often a sink has said something.
type ReasonCount struct {
	Reason  string
	Letters uint64
}

const (
	topReasons = 5

	// maxReasons bounds the reasons told apart, which may hold values.
	maxReasons = 10_000
)

// DeadSinks returns the names of the sinks that have dead letters or some to
// replay.
func (a *Archive) DeadSinks() ([]string, error) {
	names, err := a.office.sinks()
	if err != nil {
		return nil, fmt.Errorf("look for dead letters: %w", err)
	}
	return names, nil
}

// DeadLetters sums the dead letters of a sink up.
func (a *Archive) DeadLetters(ctx context.Context, sink string) (DeadSummary, error) {
	s, reasons := DeadSummary{Sink: sink}, map[string]uint64{}
	err := a.deadLines(ctx, sink, func(line []byte, replaying bool) error {
		if replaying {
			s.Replaying++
			return nil
		}
		s.add(line, reasons)
		return nil
	})
	for reason, n := range reasons {
		s.Reasons = append(s.Reasons, ReasonCount{reason, n})
	}
	slices.SortFunc(s.Reasons, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Letters, a.Letters), cmp.Compare(a.Reason, b.Reason))
	})
	s.Reasons = s.Reasons[:min(len(s.Reasons), topReasons)]
	return s, err
}

func (s *DeadSummary) add(line []byte, reasons map[string]uint64) {
	s.Letters++
	s.Bytes += int64(len(line))
	l, err := parseDeadLetter(line)
	if err == nil {
		_, err = l.id()
	}
	if err != nil {
		s.Unfit++
	}
	if _, known := reasons[l.Reason]; l.Reason != "" && (known || len(reasons) < maxReasons) {
		reasons[l.Reason]++
	}
	if !l.Last.IsZero() {
		if s.Oldest.IsZero() || l.Last.Before(s.Oldest) {
			s.Oldest = l.Last
		}
		if l.Last.After(s.Newest) {
			s.Newest = l.Last
		}
	}
}

// EachDead calls each for the dead letters of a sink, the oldest first, without those
// to replay, until ctx ends or it returns an error. line is as it is on disk,
// without its end, and l what it says; a line that cannot be read says nothing.
func (a *Archive) EachDead(ctx context.Context, sink string, each func(line []byte, l DeadLetter) error) error {
	return a.deadLines(ctx, sink, func(line []byte, replaying bool) error {
		if replaying {
			return nil
		}
		l, err := parseDeadLetter(line)
		if err != nil {
			l = DeadLetter{}
		}
		return each(line[:len(line)-1], l)
	})
}

// deadLines calls each for the lines of a sink, as they are at one moment.
func (a *Archive) deadLines(ctx context.Context, sink string, each func(line []byte, replaying bool) error) error {
	files, err := a.office.of(sink).look()
	for _, f := range files {
		if err == nil {
			err = f.lines(func(line []byte) error {
				if err := context.Cause(ctx); err != nil {
					return err
				}
				return each(line, f.replaying)
			})
		}
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("read dead letters of %s: %w", sink, err)
	}
	return nil
}

// ReplayDead makes a sink get its dead letters once more, with the ids that the
// readings had, and returns how many, and how many of these become dead letters
// again because they cannot be replayed. A pipeline that runs begins at once, else
// the next one does.
func (a *Archive) ReplayDead(sink string) (letters, unfit uint64, err error) {
	if a.sinks != nil && !slices.Contains(a.sinks, sink) {
		return 0, 0, fmt.Errorf("replay dead letters of %s: no sink of that name is configured", sink)
	}
	return a.office.of(sink).replay()
}

// DropDead deletes the dead letters of a sink that were last rejected before then,
// all of them if that is zero, without those to replay, and returns how many.
func (a *Archive) DropDead(sink string, before time.Time) (letters uint64, err error) {
	return a.office.of(sink).drop(before)
}
