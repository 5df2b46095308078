package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func replayCommand() *cobra.Command {
	c, o := &call{}, &replayOrder{}
	var since string
	cmd := c.flags(&cobra.Command{
		Use:   "replay --sink NAME (--since TIME | --from SEQ | --all) [CONFIG]",
		Short: "Deliver to a sink again what it was given before",
		Long: `Move a sink's cursor back, so that the sink is given again what the journal still
has: from the first reading accepted at --since or later, or from a sequence. The
readings keep their ids; other sinks take no notice. The journal has what no
sink waits for as long as pipeline.retain says.

A gateway that runs turns back between two batches, one that does not when it is
started.`,
		Example: `  gateway journal replay --sink hub --since 2h
  gateway journal replay --sink history --since 2026-11-22T10:00:00Z /etc/sluice/config.yaml
  gateway journal replay --sink hub --all --json`,
		Args: configArg,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Since, err = moment("since", since); err != nil {
				return err
			}
			if err := o.complete(); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args, o, out)
			}
			return c.do(cmd, args, o, &lines{each: func(line []byte) error {
				var r replayed
				if err := json.Unmarshal(line, &r); err != nil {
					return err
				}
				_, err := fmt.Fprintln(out, r.text())
				return err
			}})
		},
	}, "one JSON object")
	cmd.Flags().StringVar(&o.Sink, "sink", "", "the sink")
	cmd.Flags().StringVar(&since, "since", "", "from the first reading accepted then: a time, or how long ago")
	cmd.Flags().Uint64Var(&o.From, "from", 0, "from this sequence")
	cmd.Flags().BoolVar(&o.All, "all", false, "from the oldest reading that the journal has")
	return cmd
}

type replayOrder struct {
	Sink  string    `json:"sink"`
	Since time.Time `json:"since,omitzero"`
	From  uint64    `json:"from,omitempty"`
	All   bool      `json:"all,omitempty"`
}

func (*replayOrder) name() string  { return "replay" }
func (*replayOrder) changes() bool { return true }

// complete holds that it says to whom and from where.
func (o *replayOrder) complete() error {
	ways := 0
	for _, given := range []bool{!o.Since.IsZero(), o.From > 0, o.All} {
		if given {
			ways++
		}
	}
	if o.Sink == "" || ways != 1 {
		return usageError{errors.New("want --sink, and one of --since, --from and --all")}
	}
	return nil
}

// replayed is what replay tells.
type replayed struct {
	Sink     string    `json:"sink"`
	Readings uint64    `json:"readings"` // that it is given again
	From     uint64    `json:"from,omitempty"`
	Since    time.Time `json:"accepted_since,omitzero"` // when the first of them was accepted
}

func (o *replayOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) (err error) {
	if err := o.complete(); err != nil { // from elsewhere
		return err
	}
	if names := a.Names(); !slices.Contains(names, o.Sink) {
		return unknownSink(o.Sink, names)
	}
	from := o.From
	if !o.Since.IsZero() {
		if from, err = a.At(ctx, o.Since); err != nil {
			return err
		}
	}
	from = max(from, a.First())
	r := replayed{Sink: o.Sink}
	if r.Readings, err = a.Replay(o.Sink, from); err != nil {
		return err
	}
	if r.Readings > 0 {
		r.From = from
		if at, err := a.Accepted(ctx, from); err == nil {
			r.Since = at.UTC()
		}
	}
	if first := a.First(); first > 1 && from == first && !o.All {
		out.note("the journal begins at sequence %d: what was before is gone; pipeline.retain keeps readings longer", first)
	}
	return out.say(r)
}

func (r *replayed) text() string {
	if r.Readings == 0 {
		return fmt.Sprintf("%s is given nothing again: it has yet to come that far", r.Sink)
	}
	return fmt.Sprintf("%s is given %s again: from sequence %d on, accepted since %s", r.Sink, readings(r.Readings), r.From, momentText(r.Since))
}
