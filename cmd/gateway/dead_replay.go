package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func deadReplayCommand() *cobra.Command {
	c, o := &call{}, &deadReplayOrder{}
	cmd := c.flags(&cobra.Command{
		Use:   "replay (SINK | --all) [CONFIG]",
		Short: "Deliver dead letters to their sink once more",
		Long: `Deliver the dead letters of a sink once more, with the ids and times that the
readings had, in turn with what comes. Those that it rejects again become dead
letters again. Other sinks take no notice.

A gateway that runs begins at once, one that does not when it is started.`,
		Example: `  gateway dead replay history
  gateway dead replay --all --json
  gateway dead replay history --dir /var/lib/sluice`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.All {
				return configArg(cmd, args)
			}
			if len(args) < 1 || len(args) > 2 || args[0] == "" {
				return usageError{errors.New("want the name of a sink or --all, and at most one configuration file")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !o.All {
				o.Sink, args = args[0], args[1:]
			}
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args, o, out)
			}
			return c.do(cmd, args, o, &lines{each: func(line []byte) error {
				var r deadReplayed
				if err := json.Unmarshal(line, &r); err != nil {
					return err
				}
				_, err := fmt.Fprintln(out, r.text())
				return err
			}})
		},
	}, "one JSON object per sink")
	cmd.Flags().BoolVar(&o.All, "all", false, "of all sinks that are configured")
	return cmd
}

type deadReplayOrder struct {
	Sink string `json:"sink,omitempty"`
	All  bool   `json:"all,omitempty"`
}

func (*deadReplayOrder) name() string  { return "dead-replay" }
func (*deadReplayOrder) changes() bool { return true }

// deadReplayed is what dead replay tells.
type deadReplayed struct {
	Sink    string `json:"sink"`
	Letters uint64 `json:"letters"` // that it is given once more
	Unfit   uint64 `json:"not_replayable,omitempty"`
	Running bool   `json:"running"`
}

func (o *deadReplayOrder) carryOut(_ context.Context, a *pipeline.Archive, out *answer) error {
	if (o.Sink == "") == !o.All { // from elsewhere
		return usageError{errors.New("want a sink or --all")}
	}
	if !o.All {
		if err := deadSink(a, o.Sink); err != nil {
			return err
		}
		return o.replay(a, o.Sink, out)
	}
	sinks, err := a.DeadSinks()
	for _, sink := range sinks { // one that cannot be is no reason to leave the others
		err = errors.Join(err, o.replay(a, sink, out))
	}
	if err == nil && len(sinks) == 0 {
		out.note("there are no dead letters")
	}
	return err
}

func (o *deadReplayOrder) replay(a *pipeline.Archive, sink string, out *answer) error {
	n, unfit, err := a.ReplayDead(sink)
	if n == 0 && (err != nil || o.All) {
		return err
	}
	return errors.Join(err, out.say(deadReplayed{sink, n - unfit, unfit, a.Running()}))
}

func (r *deadReplayed) text() string {
	if r.Letters+r.Unfit == 0 {
		return printable(r.Sink) + " has no dead letters"
	}
	text := fmt.Sprintf("%s is given %s once more", printable(r.Sink), letters(r.Letters))
	if !r.Running {
		text += " when the gateway is started"
	}
	if r.Unfit > 0 {
		text += fmt.Sprintf("; %s cannot be replayed and stay", letters(r.Unfit))
	}
	return text
}
