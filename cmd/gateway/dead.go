package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/pipeline"
)

func deadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "Look at readings that sinks have rejected for good, deliver them again",
		Long: `A reading that a sink rejects for good, such as one whose value the far end cannot
hold, is kept as a dead letter beside the journal, up to 16 MiB per sink, and the
sink goes on. When the cause is mended, replay delivers them.

The commands below work on the folder of a configuration, or on the one that --dir
names. When a gateway runs there, it carries them out and goes on working.`,
		Example: `  gateway dead ls
  gateway dead show history --limit 3
  gateway dead replay history
  gateway dead drop history --before 720h --yes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usageError{errors.New("name a command of dead")}
		},
	}
	cmd.AddCommand(deadLsCommand(), deadShowCommand(), deadReplayCommand(), deadDropCommand())
	return cmd
}

// sinkArgs takes the name of a sink and an optional configuration.
func sinkArgs(_ *cobra.Command, args []string) error {
	if len(args) < 1 || len(args) > 2 || args[0] == "" {
		return usageError{errors.New("want the name of a sink, and at most one configuration file")}
	}
	return nil
}

// deadSink holds that there are, or may come to be, dead letters of that sink.
func deadSink(a *pipeline.Archive, name string) error {
	known, err := a.DeadSinks()
	if err != nil {
		return err
	}
	for _, sink := range a.Names() {
		if !slices.Contains(known, sink) {
			known = append(known, sink)
		}
	}
	if slices.Contains(known, name) {
		return nil
	}
	hint := config.Suggest(name, known)
	if hint == "" && len(known) > 0 {
		slices.Sort(known)
		hint = ": there are " + strings.Join(known, ", ")
	}
	return usageError{fmt.Errorf("there is no sink %q%s", name, hint)}
}

// letters counts dead letters for people.
func letters(n uint64) string {
	if n == 1 {
		return "1 dead letter"
	}
	return fmt.Sprintf("%d dead letters", n)
}

func deadLsCommand() *cobra.Command {
	c := &call{}
	return c.flags(&cobra.Command{
		Use:   "ls [CONFIG]",
		Short: "List how many dead letters each sink has, and why",
		Long: `List the dead letters of every sink: how many, when the oldest and the newest were
last rejected, the most frequent reasons, and how many are being replayed.`,
		Example: "  gateway dead ls\n  gateway dead ls --json --dir /var/lib/sluice",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args, &deadLsOrder{}, out)
			}
			return c.do(cmd, args, &deadLsOrder{}, &lines{each: func(line []byte) error {
				var l deadListing
				if err := json.Unmarshal(line, &l); err != nil {
					return err
				}
				return l.print(out, c.screen)
			}})
		},
	}, "one JSON object")
}

type deadLsOrder struct{}

func (*deadLsOrder) name() string  { return "dead-ls" }
func (*deadLsOrder) changes() bool { return false }

// deadListing is what dead ls tells.
type deadListing struct {
	Dir     string       `json:"dir"`
	Running bool         `json:"running"`
	Sinks   []listedDead `json:"sinks"`
}

type listedDead struct {
	Sink      string         `json:"sink"`
	Letters   uint64         `json:"letters"`
	Bytes     int64          `json:"bytes"`
	Oldest    time.Time      `json:"oldest,omitzero"` // when it was last rejected
	Newest    time.Time      `json:"newest,omitzero"`
	Unfit     uint64         `json:"not_replayable,omitempty"`
	Replaying uint64         `json:"replaying"`
	Reasons   []listedReason `json:"reasons"`
}

type listedReason struct {
	Reason  string `json:"reason"`
	Letters uint64 `json:"letters"`
}

func (*deadLsOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	l := deadListing{Dir: a.Dir(), Running: a.Running(), Sinks: []listedDead{}}
	sinks, err := a.DeadSinks()
	if err != nil {
		return err
	}
	for _, sink := range sinks {
		s, err := a.DeadLetters(ctx, sink)
		if err != nil {
			return err
		}
		if s.Letters+s.Replaying == 0 {
			continue
		}
		d := listedDead{Sink: s.Sink, Letters: s.Letters, Bytes: s.Bytes, Oldest: s.Oldest, Newest: s.Newest,
			Unfit: s.Unfit, Replaying: s.Replaying, Reasons: []listedReason{}}
		for _, r := range s.Reasons {
			d.Reasons = append(d.Reasons, listedReason(r))
		}
		l.Sinks = append(l.Sinks, d)
	}
	return out.say(l)
}

// print lists for people.
func (l *deadListing) print(w io.Writer, s *screen) error {
	if len(l.Sinks) == 0 {
		_, err := fmt.Fprintf(w, "%s: no dead letters\n", l.Dir)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %10s %9s %10s  %-20s  %s\n", "sink", "letters", "size", "replaying", "oldest", "newest")
	for _, d := range l.Sinks {
		fmt.Fprintf(&b, "%-16s %10d %9s %10d  %-20s  %s\n", printable(d.Sink), d.Letters, sizeText(d.Bytes), d.Replaying, momentText(d.Oldest), momentText(d.Newest))
		for _, r := range d.Reasons {
			fmt.Fprintf(&b, "  %10d× %s\n", r.Letters, printable(r.Reason))
		}
		if d.Unfit > 0 {
			fmt.Fprintf(&b, "  %s\n", s.red(letters(d.Unfit)+" cannot be replayed: damaged, or kept by an older version"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
