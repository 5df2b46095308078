package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func deadDropCommand() *cobra.Command {
	c, o := &call{}, &deadDropOrder{}
	var before string
	cmd := c.flags(&cobra.Command{
		Use:   "drop SINK [--before TIME] [CONFIG]",
		Short: "Delete the dead letters of a sink",
		Long: `Delete the dead letters of a sink, or those that were last rejected before a time.
Those that are being replayed stay. Without --yes it says how many that would be.`,
		Example: `  gateway dead drop history --yes
  gateway dead drop history --before 720h --yes
  gateway dead drop history --before 2026-11-22T10:00:00Z`,
		Args: sinkArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Sink = args[0]
			if o.Before, err = moment("before", before); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args[1:], o, out)
			}
			return c.do(cmd, args[1:], o, &lines{each: func(line []byte) error {
				var d deadDropped
				if err := json.Unmarshal(line, &d); err != nil {
					return err
				}
				_, err := fmt.Fprintln(out, d.text())
				return err
			}})
		},
	}, "one JSON object")
	cmd.Flags().StringVar(&before, "before", "", "only those last rejected before then: a time, or how long ago")
	cmd.Flags().BoolVar(&o.Yes, "yes", false, "delete them")
	return cmd
}

type deadDropOrder struct {
	Sink   string    `json:"sink"`
	Before time.Time `json:"before,omitzero"`
	Yes    bool      `json:"yes,omitempty"`
}

func (*deadDropOrder) name() string    { return "dead-drop" }
func (o *deadDropOrder) changes() bool { return o.Yes }

// deadDropped is what dead drop tells.
type deadDropped struct {
	Sink    string `json:"sink"`
	Done    bool   `json:"done"` // false: what it would do
	Letters uint64 `json:"letters"`
}

func (o *deadDropOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	if err := deadSink(a, o.Sink); err != nil {
		return err
	}
	d := deadDropped{Sink: o.Sink, Done: o.Yes}
	if o.Yes {
		var err error
		d.Letters, err = a.DropDead(o.Sink, o.Before)
		if err != nil && d.Letters == 0 {
			return err
		}
		return errors.Join(err, out.say(d))
	}
	err := a.EachDead(ctx, o.Sink, func(_ []byte, l pipeline.DeadLetter) error {
		if o.Before.IsZero() || !l.Last.IsZero() && l.Last.Before(o.Before) {
			d.Letters++
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := out.say(d); err != nil || d.Letters == 0 {
		return err
	}
	return errors.New("nothing was deleted: --yes deletes them for good")
}

func (d *deadDropped) text() string {
	if d.Done {
		return fmt.Sprintf("deleted %s of %s", letters(d.Letters), printable(d.Sink))
	}
	return fmt.Sprintf("to be deleted: %s of %s", letters(d.Letters), printable(d.Sink))
}
