package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
	"sluice/protocol"
)

func inspectCommand() *cobra.Command {
	c, o := &call{}, &inspectOrder{}
	cmd := c.flags(&cobra.Command{
		Use:   "inspect [CONFIG]",
		Short: "Show records: where they lie and what they hold",
		Long: `Show the last records of the journal, or the first ones of a segment, one per
line: file and offset, sequences, bytes, when it was accepted, the devices and
metrics that it names for the first time in its segment, and what it notes about
the messages of MQTT drivers. What is lost in front of a record stands before it.

With --seq it shows the record that holds that reading, and its readings; --limit
then counts readings, beginning with the one asked for. A reading's sequence is
the number at the end of its id.`,
		Example: "  gateway journal inspect\n  gateway journal inspect --segment 7 --limit 0\n  gateway journal inspect --seq 10342",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Seq > 0 && o.Segment > 0 {
				return usageError{fmt.Errorf("takes --segment or --seq, not both")}
			}
			if o.Seq > 0 && !cmd.Flags().Changed("limit") {
				o.Limit = 0
			}
			buffered := bufio.NewWriterSize(cmd.OutOrStdout(), bufferSize)
			out := io.Writer(buffered)
			if !c.asJSON {
				out = &lines{each: func(line []byte) error { return o.print(buffered, c.screen, line) }}
			}
			return after(c.do(cmd, args, o, out), buffered.Flush)
		},
	}, "one JSON object per record, and per reading,")
	cmd.Flags().Uint64Var(&o.Segment, "segment", 0, "records of the segment of this number")
	cmd.Flags().Uint64Var(&o.Seq, "seq", 0, "the record of this reading")
	cmd.Flags().Uint64Var(&o.Limit, "limit", 20, "how many to show; 0: all")
	return cmd
}

// bufferSize is how much text goes out at a time.
const bufferSize = 64 << 10

// after does what is left to do whether or not there was an error before.
func after(err error, last func() error) error {
	if e := last(); err == nil {
		err = e
	}
	return err
}

type inspectOrder struct {
	Segment uint64 `json:"segment,omitempty"`
	Seq     uint64 `json:"seq,omitempty"`
	Limit   uint64 `json:"limit"`
}

func (*inspectOrder) name() string  { return "inspect" }
func (*inspectOrder) changes() bool { return false }

// shownRecord is a record as inspect tells it.
type shownRecord struct {
	File       string      `json:"file,omitempty"` // none: in memory alone
	Segment    uint64      `json:"segment"`
	Offset     int64       `json:"offset"`
	Bytes      int64       `json:"bytes"`
	Seq        uint64      `json:"seq"`
	Readings   int         `json:"readings"`
	Accepted   time.Time   `json:"accepted"`
	Epoch      string      `json:"epoch"`
	Generation uint64      `json:"generation"` // of the dictionary
	Devices    []string    `json:"devices,omitempty"`
	Metrics    []string    `json:"metrics,omitempty"`
	Notes      []shownNote `json:"notes,omitempty"`
	Missing    uint64      `json:"missing,omitempty"` // readings lost in front of it
	Problem    string      `json:"problem,omitempty"`
}

type shownNote struct {
	Driver string   `json:"driver"`
	Lost   bool     `json:"session_lost,omitempty"`
	Acked  []uint16 `json:"acked,omitempty"` // packet ids
	Kept   []uint16 `json:"kept,omitempty"`
}

// unreadable stands for a reading that cannot be told.
type unreadable struct {
	Seq     uint64 `json:"seq"`
	Problem string `json:"problem"`
}

func (o *inspectOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	buffered := bufio.NewWriterSize(out.out, bufferSize)
	say := &answer{out: buffered}
	show := func(r pipeline.Record) error { return say.say(showRecord(r)) }
	var err error
	switch {
	case o.Seq > 0:
		err = o.find(ctx, a, say, show)
	case o.Segment > 0:
		err = a.Of(ctx, o.Segment, o.Limit, show)
	default:
		err = a.Latest(ctx, o.Limit, show)
	}
	return after(err, buffered.Flush)
}

func (o *inspectOrder) find(ctx context.Context, a *pipeline.Archive, out *answer, show func(pipeline.Record) error) error {
	var shown uint64
	var line []byte
	return a.Find(ctx, o.Seq, show, func(seq uint64, r *protocol.Reading) error {
		if o.Limit > 0 && (seq < o.Seq || shown >= o.Limit) {
			return nil
		}
		shown++
		if r == nil {
			return out.say(unreadable{seq, "names a device or metric that a damaged record declared"})
		}
		line = append(protocol.AppendJSON(line[:0], r), '\n')
		_, err := out.Write(line)
		return err
	})
}

func showRecord(r pipeline.Record) shownRecord {
	s := shownRecord{
		File: r.File, Segment: r.Segment, Offset: r.Offset, Bytes: r.Bytes, Seq: r.Seq, Readings: r.Count, Accepted: r.Accepted.UTC(),
		Epoch: fmt.Sprintf("%016x", r.Epoch), Generation: r.Generation, Devices: r.Devices, Metrics: r.Metrics, Missing: r.Missing,
	}
	for _, n := range r.Notes {
		s.Notes = append(s.Notes, shownNote(n))
	}
	if r.Problem != nil {
		s.Problem = r.Problem.Error()
	}
	return s
}

// print shows a line of the answer to people.
func (o *inspectOrder) print(w io.Writer, s *screen, line []byte) error {
	var u unreadable
	switch {
	case bytes.HasPrefix(line, []byte(`{"id":`)):
		_, err := fmt.Fprintf(w, "  %s\n", o.mark(s, line))
		return err
	case bytes.HasPrefix(line, []byte(`{"seq":`)):
		if err := json.Unmarshal(line, &u); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "  %s\n", s.red(fmt.Sprintf("%d %s", u.Seq, u.Problem)))
		return err
	}
	var r shownRecord
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	return r.print(w, s)
}

// mark shows the reading that was asked for in colour.
func (o *inspectOrder) mark(s *screen, line []byte) string {
	text := string(line)
	if strings.Contains(text[:min(len(text), 64)], fmt.Sprintf(`-%d"`, o.Seq)) {
		return s.green(text)
	}
	return text
}

// print shows the record in one line.
func (r *shownRecord) print(w io.Writer, s *screen) error {
	file := r.File
	if file == "" {
		file = fmt.Sprintf("memory %d", r.Segment)
	}
	var b strings.Builder
	if r.Missing > 0 {
		fmt.Fprintf(&b, "%s\n", s.red(fmt.Sprintf("%s: %s lost here", file, readings(r.Missing))))
	}
	sequences := "-"
	if r.Readings > 0 {
		sequences = fmt.Sprintf("%d..%d", r.Seq, r.Seq+uint64(r.Readings)-1)
	}
	fmt.Fprintf(&b, "%-24s %-21s %6d readings %7d bytes  %s", fmt.Sprintf("%s:%d", file, r.Offset), sequences, r.Readings, r.Bytes, r.Accepted.Format("2006-01-02T15:04:05.000Z07:00"))
	names(&b, "device", r.Devices)
	names(&b, "metric", r.Metrics)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  %s: %d kept, %d acknowledged", printable(n.Driver), len(n.Kept), len(n.Acked))
		if n.Lost {
			b.WriteString(", new session")
		}
	}
	if r.Problem != "" {
		fmt.Fprintf(&b, "  %s", s.red(r.Problem))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// names adds the first few of what a record declares.
func names(b *strings.Builder, what string, list []string) {
	const few = 3
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "  +%s", count(len(list), what))
	for i, name := range list[:min(few, len(list))] {
		fmt.Fprintf(b, "%s%s", [...]string{" (", ", ", ", "}[i], printable(name))
	}
	if len(list) > few {
		b.WriteString(", …")
	}
	b.WriteByte(')')
}
