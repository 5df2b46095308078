package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func forgetCommand() *cobra.Command {
	c, o := &call{}, &forgetOrder{}
	return c.flags(&cobra.Command{
		Use:   "forget NAME [CONFIG]",
		Short: "End the cursor of a sink that is not configured any more",
		Long: `End the cursor of a sink that is gone for good: the journal keeps nothing for it
any more. A sink that was only given another name goes on where it was when its
old name stands in the new one's 'was'.`,
		Example: "  gateway journal forget old-hub\n  gateway journal forget old-hub --dir /var/lib/sluice",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{errors.New("want the name of a sink, and at most one configuration file")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Sink = args[0]
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args[1:], o, out)
			}
			return c.do(cmd, args[1:], o, &lines{each: func(line []byte) error {
				var f forgotten
				if err := json.Unmarshal(line, &f); err != nil {
					return err
				}
				_, err := fmt.Fprintf(out, "%s is forgotten: %s waited for it\n", printable(f.Sink), readings(f.Readings))
				return err
			}})
		},
	}, "one JSON object")
}

type forgetOrder struct {
	Sink string `json:"sink"`
}

func (*forgetOrder) name() string  { return "forget" }
func (*forgetOrder) changes() bool { return true }

// forgotten is what forget tells.
type forgotten struct {
	Sink     string `json:"sink"`
	Readings uint64 `json:"readings"` // that waited for it
}

func (o *forgetOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	names := a.Names()
	i := slices.Index(names, o.Sink)
	if i < 0 {
		return unknownSink(o.Sink, names)
	}
	places, err := a.Places(ctx)
	if err != nil {
		return err
	}
	if err := a.Forget(o.Sink); err != nil {
		return err
	}
	return out.say(forgotten{o.Sink, places[i].Waiting})
}
