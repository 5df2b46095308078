package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func lsCommand() *cobra.Command {
	c := &call{}
	return c.flags(&cobra.Command{
		Use:   "ls [CONFIG]",
		Short: "List segments and cursors",
		Long: `List the journal's segments, the cursor of every sink with what it has yet to
take, and files that the journal does not use. A segment's free bytes are still to
be written, or were never needed.`,
		Example: "  gateway journal ls\n  gateway journal ls --json --dir /var/lib/sluice",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if c.asJSON {
				return c.do(cmd, args, &lsOrder{}, out)
			}
			return c.do(cmd, args, &lsOrder{}, &lines{each: func(line []byte) error {
				var l listing
				if err := json.Unmarshal(line, &l); err != nil {
					return err
				}
				return l.print(out, c.screen)
			}})
		},
	}, "one JSON object")
}

type lsOrder struct{}

func (*lsOrder) name() string  { return "ls" }
func (*lsOrder) changes() bool { return false }

// listing is what ls tells.
type listing struct {
	Dir      string          `json:"dir"`
	Running  bool            `json:"running"`
	First    uint64          `json:"first"` // sequence at which the log begins
	Next     uint64          `json:"next"`
	Bytes    int64           `json:"bytes"` // on disk, without the spare
	Used     int64           `json:"used"`
	Memory   int64           `json:"memory,omitempty"` // of segments that are in memory alone
	Spare    int64           `json:"spare"`
	Segments []listedSegment `json:"segments"`
	Cursors  []listedCursor  `json:"cursors"`
	Aside    []listedAside   `json:"aside"`
}

type listedSegment struct {
	Number   uint64    `json:"number"`
	File     string    `json:"file,omitempty"` // none: in memory alone
	Epoch    string    `json:"epoch"`          // as in the readings' ids
	First    uint64    `json:"first"`
	Next     uint64    `json:"next"`
	Readings uint64    `json:"readings"`
	Size     int64     `json:"size"`
	Used     int64     `json:"used"`
	Since    time.Time `json:"accepted_since,omitzero"`
	Until    time.Time `json:"accepted_until,omitzero"`
}

type listedCursor struct {
	Name       string    `json:"name"`
	Position   uint64    `json:"position"` // of the next reading it wants; 0: its file is damaged
	Waiting    uint64    `json:"waiting"`  // readings
	Since      time.Time `json:"accepted_since,omitzero"`
	Lag        float64   `json:"lag_s"`
	Configured *bool     `json:"configured,omitempty"` // known while the gateway runs
}

type listedAside struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

func (*lsOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	l := listing{Dir: a.Dir(), Running: a.Running(), First: a.First(), Next: a.Next(), Spare: a.Spare(),
		Segments: []listedSegment{}, Cursors: []listedCursor{}, Aside: []listedAside{}}
	for _, s := range a.Segments() {
		l.add(s)
	}
	places, err := a.Places(ctx)
	if err != nil {
		return err
	}
	for _, p := range places {
		k := listedCursor{Name: p.Name, Position: p.Position, Waiting: p.Waiting, Since: p.Since.UTC()}
		if !p.Since.IsZero() {
			k.Lag = max(0, time.Since(p.Since).Seconds())
		}
		if l.Running {
			k.Configured = &p.Claimed
		}
		l.Cursors = append(l.Cursors, k)
	}
	for _, f := range a.Aside() {
		l.Aside = append(l.Aside, listedAside(f))
	}
	return out.say(l)
}

func (l *listing) add(s pipeline.Segment) {
	if s.Volatile {
		l.Memory += s.Size
	} else {
		l.Bytes += s.Size
	}
	l.Used += s.Used
	l.Segments = append(l.Segments, listedSegment{
		Number: s.Number, File: s.File, Epoch: fmt.Sprintf("%016x", s.Epoch), First: s.First, Next: s.Next, Readings: s.Next - s.First,
		Size: s.Size, Used: s.Used, Since: s.Since.UTC(), Until: s.Until.UTC(),
	})
}

// print lists for people.
func (l *listing) print(w io.Writer, s *screen) error {
	var b strings.Builder
	state := "no gateway runs"
	if l.Running {
		state = "the gateway runs"
	}
	fmt.Fprintf(&b, "%s: %s, %s\n\n", l.Dir, state, readings(l.Next-l.First))
	if len(l.Segments) > 0 {
		fmt.Fprintf(&b, "%-16s %12s %12s %10s %9s %9s  %-20s  %-20s  %s\n", "segment", "first", "next", "readings", "size", "free", "accepted since", "until", "epoch")
	}
	for _, k := range l.Segments {
		file := k.File
		if file == "" {
			file = "(in memory)"
		}
		fmt.Fprintf(&b, "%-16s %12d %12d %10d %9s %9s  %-20s  %-20s  %s\n", file, k.First, k.Next, k.Readings,
			sizeText(k.Size), sizeText(k.Size-k.Used), momentText(k.Since), momentText(k.Until), k.Epoch)
	}
	fmt.Fprintf(&b, "%s, %s", count(len(l.Segments), "segment"), sizeText(l.Bytes))
	if l.Memory > 0 {
		fmt.Fprintf(&b, ", %s", s.red(sizeText(l.Memory)+" in memory alone"))
	}
	fmt.Fprintf(&b, ", spare %s\n\n", sizeText(l.Spare))
	l.printCursors(&b, s)
	for _, f := range l.Aside {
		fmt.Fprintf(&b, "%s\n", s.red(fmt.Sprintf("left aside: %s: %s", printable(f.File), f.Reason)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (l *listing) printCursors(b *strings.Builder, s *screen) {
	if len(l.Cursors) == 0 {
		b.WriteString("no cursors\n")
		return
	}
	fmt.Fprintf(b, "%-16s %12s %12s %12s  %s\n", "cursor", "position", "waiting", "lag", "")
	for _, k := range l.Cursors {
		remark := ""
		switch {
		case k.Position == 0:
			remark = s.red("its file is damaged: it would begin at the oldest reading")
		case k.Configured != nil && !*k.Configured:
			remark = s.red("no sink of this name is configured")
		}
		line := fmt.Sprintf("%-16s %12d %12d %12s  %s", printable(k.Name), k.Position, k.Waiting, lagText(k.Lag), remark)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func lagText(seconds float64) string {
	lag := time.Duration(seconds * float64(time.Second))
	if lag >= time.Minute {
		return lag.Round(time.Second).String()
	}
	return lag.Round(time.Millisecond).String()
}
