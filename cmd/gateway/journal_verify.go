package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
)

func verifyCommand() *cobra.Command {
	c := &call{}
	return c.flags(&cobra.Command{
		Use:   "verify [CONFIG]",
		Short: "Read the whole journal and say what is damaged",
		Long: `Read every record and check it against its checksum, and the sequences against
each other. Whatever is wrong is named by file and offset, with the readings that
it costs; a gateway steps over it. Exit code 0: nothing was found; 1: something was.`,
		Example: "  gateway journal verify\n  gateway journal verify --json --dir /var/lib/sluice",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			v := &verdict{out: out, call: c, began: time.Now()}
			return after(c.do(cmd, args, &verifyOrder{}, &lines{each: v.line}), out.Flush)
		},
	}, "one JSON object")
}

type verifyOrder struct{}

func (*verifyOrder) name() string  { return "verify" }
func (*verifyOrder) changes() bool { return false }

// verified is a line of what verify tells: one of its fields is set.
type verified struct {
	Progress *verifyProgress `json:"progress,omitempty"`
	Finding  *finding        `json:"finding,omitempty"`
	Totals   *verifyTotals   `json:"totals,omitempty"` // the last line
}

type verifyProgress struct {
	Done int64 `json:"done"` // bytes
	Of   int64 `json:"of"`
}

type finding struct {
	File     string `json:"file"`
	Offset   int64  `json:"offset"`
	Reason   string `json:"reason"`
	Readings uint64 `json:"readings_lost"`
}

type verifyTotals struct {
	Dir      string `json:"dir"`
	Segments int    `json:"segments"`
	Records  uint64 `json:"records"`
	Readings uint64 `json:"readings"`
	Bytes    int64  `json:"bytes"` // of intact records
	Findings uint64 `json:"found"`
	Lost     uint64 `json:"readings_lost"`
	OK       bool   `json:"ok"`
}

// progressEvery is how often verify says how far it is.
const progressEvery = 200 * time.Millisecond

func (*verifyOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	var failed error
	say := func(v verified) {
		if failed == nil {
			failed = out.say(v)
		}
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	v := verifyTotals{Dir: a.Dir(), Segments: len(a.Segments())}
	var told time.Time
	t, err := a.Verify(ctx, func(f pipeline.Finding) {
		v.Findings++
		say(verified{Finding: &finding{f.File, f.Offset, f.Reason, f.Readings}})
	}, func(done, of int64) {
		if time.Since(told) >= progressEvery {
			told = time.Now()
			say(verified{Progress: &verifyProgress{done, of}})
		}
		if failed != nil {
			stop(failed)
		}
	})
	if err != nil {
		return err
	}
	v.Records, v.Readings, v.Bytes, v.Lost, v.OK = t.Records, t.Readings, t.Bytes, t.Lost, v.Findings == 0
	if say(verified{Totals: &v}); failed != nil {
		return failed
	}
	if !v.OK {
		return toldError{exitFailure}
	}
	return nil
}

// verdict shows what verify tells.
type verdict struct {
	out   *bufio.Writer
	call  *call
	began time.Time
	found int // in JSON
}

func (v *verdict) line(line []byte) error {
	var l verified
	if err := json.Unmarshal(line, &l); err != nil {
		return err
	}
	switch {
	case v.call.asJSON:
		return v.json(l)
	case l.Progress != nil:
		v.progress(*l.Progress)
	case l.Finding != nil:
		return v.finding(*l.Finding)
	case l.Totals != nil:
		return v.totals(*l.Totals)
	}
	return nil
}

// progress is for terminals alone.
func (v *verdict) progress(p verifyProgress) {
	if s := v.call.screen; s.inPlace && p.Of > 0 {
		s.print("%s", fmt.Sprintf("%schecked %s of %s (%d %%)", clearLine, sizeText(p.Done), sizeText(p.Of), p.Done*100/p.Of))
	}
}

func (v *verdict) finding(f finding) error {
	s := v.call.screen
	if s.inPlace {
		s.print("%s", clearLine)
	}
	lost := "nothing lost"
	if f.Readings > 0 {
		lost = s.red(readings(f.Readings) + " lost")
	}
	_, err := fmt.Fprintf(v.out, "%s:%d: %s, %s\n", printable(f.File), f.Offset, f.Reason, lost)
	if err == nil && s.inPlace {
		err = v.out.Flush() // before the next progress
	}
	return err
}

func (v *verdict) totals(t verifyTotals) error {
	s := v.call.screen
	if s.inPlace {
		s.print("%s", clearLine)
	}
	result := s.green("nothing is wrong")
	if !t.OK {
		result = s.red(fmt.Sprintf("%s, %s lost", count(int(t.Findings), "finding"), readings(t.Lost)))
	}
	_, err := fmt.Fprintf(v.out, "%s: %s in %d records, %s, %s, read in %v: %s\n", t.Dir, readings(t.Readings), t.Records,
		count(t.Segments, "segment"), sizeText(t.Bytes), time.Since(v.began).Round(time.Millisecond), result)
	return err
}

// json writes one object as it comes, however many findings there are.
func (v *verdict) json(l verified) error {
	var err error
	switch {
	case l.Finding != nil:
		v.found++
		lead := ","
		if v.found == 1 {
			lead = `{"findings":[`
		}
		text, _ := json.Marshal(l.Finding) // strings and numbers alone: cannot fail
		_, err = fmt.Fprintf(v.out, "%s%s", lead, text)
	case l.Totals != nil:
		lead := "]"
		if v.found == 0 {
			lead = `{"findings":[]`
		}
		text, _ := json.Marshal(l.Totals)
		_, err = fmt.Fprintf(v.out, "%s,%s\n", lead, text[1:])
	}
	return err
}
