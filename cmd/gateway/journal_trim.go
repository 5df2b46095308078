package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func trimCommand() *cobra.Command {
	c, o := &call{}, &trimOrder{}
	var before, keep string
	cmd := c.flags(&cobra.Command{
		Use:   "trim (--before TIME | --keep SIZE) [CONFIG]",
		Short: "Delete the oldest segments",
		Long: `Delete the oldest segments: those in front of the first reading accepted at
--before or later, or as many as it takes for the others to be no larger than
--keep. Segments go as a whole, and the last one stays.

It says first which sinks lose readings by that which they have yet to take, and
then deletes nothing without --yes.`,
		Example: "  gateway journal trim --before 24h\n  gateway journal trim --keep 64MiB --yes",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if (before == "") == (keep == "") {
				return usageError{errors.New("want --before or --keep")}
			}
			if o.Before, err = moment("before", before); err != nil {
				return err
			}
			if keep != "" {
				var size pipeline.Bytes
				if err := size.UnmarshalText([]byte(keep)); err != nil {
					return usageError{fmt.Errorf("--keep: %w", err)}
				}
				o.Keep = (*int64)(&size)
			}
			return c.trim(cmd, args, o)
		},
	}, "one JSON object")
	cmd.Flags().StringVar(&before, "before", "", "what was accepted before then: a time, or how long ago")
	cmd.Flags().StringVar(&keep, "keep", "", "as much as is larger than this, such as 64MiB")
	cmd.Flags().BoolVar(&o.Yes, "yes", false, "also what sinks have yet to take")
	return cmd
}

// trim carries o out. It tells the same object twice, before and behind the deed;
// as JSON the last one counts.
func (c *call) trim(cmd *cobra.Command, args []string, o *trimOrder) error {
	out := cmd.OutOrStdout()
	var last []byte
	err := c.do(cmd, args, o, &lines{each: func(line []byte) error {
		last = bytes.Clone(line)
		var t trimmed
		if err := json.Unmarshal(line, &t); c.asJSON || err != nil {
			return err
		}
		return t.print(out, c.screen)
	}})
	if c.asJSON && last != nil {
		err = after(err, func() error { _, err := fmt.Fprintf(out, "%s\n", last); return err })
	}
	return err
}

type trimOrder struct {
	Before time.Time `json:"before,omitzero"`
	Keep   *int64    `json:"keep,omitempty"` // bytes
	Yes    bool      `json:"yes,omitempty"`
}

func (*trimOrder) name() string  { return "trim" }
func (*trimOrder) changes() bool { return true }

// trimmed is what trim tells.
type trimmed struct {
	Done     bool       `json:"done"` // false: what it would do
	Segments int        `json:"segments"`
	Bytes    int64      `json:"bytes"`
	First    uint64     `json:"first,omitempty"` // sequences of what goes, Next being the first that stays
	Next     uint64     `json:"next,omitempty"`
	Until    time.Time  `json:"accepted_until,omitzero"` // when the last of it was accepted
	Costs    []trimCost `json:"costs"`
}

// trimCost is what a sink loses that it has yet to take.
type trimCost struct {
	Sink     string    `json:"sink"`
	Readings uint64    `json:"readings"`
	Since    time.Time `json:"accepted_since,omitzero"`
}

func (o *trimOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	if o.Before.IsZero() == (o.Keep == nil) { // from elsewhere
		return usageError{errors.New("want before or keep")}
	}
	t, err := o.plan(ctx, a)
	if err == nil {
		err = out.say(t)
	}
	switch {
	case err != nil || t.Segments == 0:
		return err
	case len(t.Costs) > 0 && !o.Yes:
		return errors.New("nothing was deleted: --yes deletes it although sinks have yet to take some of it")
	}
	lost := a.Trim(t.Next)
	t.Done = true
	costs := t.Costs
	t.Costs = []trimCost{}
	for _, k := range costs { // some may have been taken meanwhile
		if k.Readings = lost[k.Sink]; k.Readings > 0 {
			t.Costs = append(t.Costs, k)
		}
	}
	return out.say(t)
}

// plan finds what is to go and what that costs.
func (o *trimOrder) plan(ctx context.Context, a *pipeline.Archive) (trimmed, error) {
	t := trimmed{Costs: []trimCost{}}
	segments := a.Segments()
	if len(segments) == 0 {
		return t, nil
	}
	n, err := o.tooMany(ctx, a, segments)
	if err != nil || n == 0 {
		return t, err
	}
	for _, s := range segments[:n] {
		t.Bytes += s.Size
		t.Until = s.Until.UTC()
	}
	t.Segments, t.First, t.Next = n, segments[0].First, segments[n].First
	places, err := a.Places(ctx)
	for _, p := range places {
		if from := max(p.Position, t.First); from < t.Next {
			t.Costs = append(t.Costs, trimCost{p.Name, t.Next - from, p.Since.UTC()})
		}
	}
	return t, err
}

// tooMany returns how many of the segments are to go.
func (o *trimOrder) tooMany(ctx context.Context, a *pipeline.Archive, segments []pipeline.Segment) (n int, err error) {
	last := len(segments) - 1
	if o.Keep != nil {
		for left := *o.Keep - segments[last].Size; last > 0 && segments[last-1].Size <= left; last-- {
			left -= segments[last-1].Size
		}
		return last, nil
	}
	before, err := a.At(ctx, o.Before)
	for n < last && segments[n+1].First <= before {
		n++
	}
	return n, err
}

// print says what was done, or would be.
func (t *trimmed) print(w io.Writer, s *screen) error {
	var text string
	switch {
	case t.Segments == 0:
		text = "nothing is to be deleted\n"
	case t.Done:
		text = fmt.Sprintf("deleted %s, %s\n", count(t.Segments, "segment"), sizeText(t.Bytes))
		for _, k := range t.Costs {
			text += s.red(fmt.Sprintf("  %s has lost %s", printable(k.Sink), readings(k.Readings))) + "\n"
		}
	default:
		text = fmt.Sprintf("to be deleted: %s, %s, sequences %d to %d, accepted until %s\n",
			count(t.Segments, "segment"), sizeText(t.Bytes), t.First, t.Next-1, momentText(t.Until))
		for _, k := range t.Costs {
			text += s.red(fmt.Sprintf("  %s has yet to take %s of it, accepted since %s", printable(k.Sink), readings(k.Readings), momentText(k.Since))) + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
