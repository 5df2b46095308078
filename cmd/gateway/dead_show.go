package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func deadShowCommand() *cobra.Command {
	c, o := &call{}, &deadShowOrder{}
	cmd := c.flags(&cobra.Command{
		Use:   "show SINK [CONFIG]",
		Short: "Print the dead letters of a sink",
		Long: `Print the dead letters of a sink, the oldest first: the reason, when the reading
was first tried and when it was last rejected, and the reading.`,
		Example: `  gateway dead show history --limit 3
  gateway dead show history --reason "field type conflict"
  gateway dead show history --json | jq .reading.device`,
		Args: sinkArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sink = args[0]
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args[1:], o, out)
			}
			return c.do(cmd, args[1:], o, &lines{each: func(line []byte) error { return printLetter(out, line) }})
		},
	}, "one JSON object per dead letter, as they are kept,")
	cmd.Flags().Uint64Var(&o.Limit, "limit", 0, "only the newest so many; 0: all")
	cmd.Flags().StringVar(&o.Reason, "reason", "", "only those whose reason has this text in it")
	return cmd
}

// printLetter prints a dead letter for people.
func printLetter(w io.Writer, line []byte) error {
	var l pipeline.DeadLetter
	if err := json.Unmarshal(line, &l); err != nil {
		_, err := fmt.Fprintf(w, "damaged: %s\n", printable(string(line)))
		return err
	}
	if l.First.IsZero() {
		l.First, l.Last = l.At, l.At
	}
	_, err := fmt.Fprintf(w, "%s  %s\n  first tried %s, %s\n", momentText(l.Last), printable(l.Reason), momentText(l.First), l.Reading)
	return err
}

type deadShowOrder struct {
	Sink   string `json:"sink"`
	Limit  uint64 `json:"limit,omitempty"`
	Reason string `json:"reason,omitempty"`
}

func (*deadShowOrder) name() string  { return "dead-show" }
func (*deadShowOrder) changes() bool { return false }

func (o *deadShowOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	if err := deadSink(a, o.Sink); err != nil {
		return err
	}
	wanted := uint64(0)
	err := a.EachDead(ctx, o.Sink, func(_ []byte, l pipeline.DeadLetter) error {
		if o.wants(l) {
			wanted++
		}
		return nil
	})
	if err != nil {
		return err
	}
	skip, limit := uint64(0), wanted
	if o.Limit > 0 && wanted > o.Limit {
		skip, limit = wanted-o.Limit, o.Limit
	}
	buffered := bufio.NewWriterSize(out.out, bufferSize)
	err = a.EachDead(ctx, o.Sink, func(line []byte, l pipeline.DeadLetter) error {
		switch {
		case !o.wants(l):
			return nil
		case skip > 0:
			skip--
			return nil
		case limit == 0: // more have come
			return errShown
		}
		limit--
		_, err := buffered.Write(append(line, '\n'))
		return err
	})
	if errors.Is(err, errShown) {
		err = nil
	}
	if wanted == 0 {
		out.note("no dead letter of %s is to be shown", o.Sink)
	}
	return after(err, buffered.Flush)
}

var errShown = errors.New("all is shown")

func (o *deadShowOrder) wants(l pipeline.DeadLetter) bool {
	return strings.Contains(l.Reason, o.Reason)
}
