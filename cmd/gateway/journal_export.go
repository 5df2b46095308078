package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sluice/pipeline"
	"sluice/protocol"
)

func exportCommand() *cobra.Command {
	c, o := &call{}, &exportOrder{}
	var since, until string
	cmd := c.flags(&cobra.Command{
		Use:   "export [CONFIG]",
		Short: "Print readings, one JSON object per line",
		Long: `Print the readings that the journal holds, delivered or not, one JSON object per
line, in the order in which they were accepted.

--since begins with the first reading accepted then or later, --until ends in
front of the first one behind it; --from and --to do the same by sequence, the
number at the end of a reading's id. What is damaged is passed over and counted on
standard error.`,
		Example: `  gateway journal export | head
  gateway journal export --since 2h --device s1
  gateway journal export --since 2026-11-22T10:00:00Z --until 2026-11-22T11:00:00Z > readings.ndjson`,
		Args: configArg,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.From > 0 && since != "" || o.To > 0 && until != "" {
				return usageError{errors.New("takes --since or --from, and --until or --to")}
			}
			if o.Since, err = moment("since", since); err != nil {
				return err
			}
			if o.Until, err = moment("until", until); err != nil {
				return err
			}
			return c.do(cmd, args, o, cmd.OutOrStdout())
		},
	}, "what it prints anyway: one JSON object per reading,")
	cmd.Flags().StringVar(&since, "since", "", "begin with the first reading accepted then: a time, or how long ago")
	cmd.Flags().StringVar(&until, "until", "", "end in front of the first reading accepted then")
	cmd.Flags().Uint64Var(&o.From, "from", 0, "begin with this sequence")
	cmd.Flags().Uint64Var(&o.To, "to", 0, "end in front of this sequence")
	cmd.Flags().StringVar(&o.Device, "device", "", "only readings of this device")
	return cmd
}

type exportOrder struct {
	From   uint64    `json:"from,omitempty"`
	To     uint64    `json:"to,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Device string    `json:"device,omitempty"`
}

func (*exportOrder) name() string  { return "export" }
func (*exportOrder) changes() bool { return false }

func (o *exportOrder) carryOut(ctx context.Context, a *pipeline.Archive, out *answer) error {
	buffered := bufio.NewWriterSize(out.out, bufferSize)
	var line []byte
	want := pipeline.Selection{From: o.From, To: o.To, Since: o.Since, Until: o.Until, Device: o.Device}
	t, err := a.Readings(ctx, want, func(r *protocol.Reading) error {
		line = append(protocol.AppendJSON(line[:0], r), '\n')
		_, err := buffered.Write(line)
		return err
	})
	if err = after(err, buffered.Flush); err != nil {
		return fmt.Errorf("export after %s: %w", readings(t.Readings), err)
	}
	if t.Missing > 0 {
		out.note("%s of the range are damaged or were deleted meanwhile", readings(t.Missing))
	}
	if o.From > 0 && o.From < a.First() {
		out.note("the journal begins at sequence %d: what was before it is gone", a.First())
	}
	if t.Readings == 0 {
		out.note("no reading is in the range%s", others(o.Device, t.Passed))
	}
	return nil
}

// others says that a device was asked for and only others were found.
func others(device string, passed uint64) string {
	if passed == 0 {
		return ""
	}
	return fmt.Sprintf(" of device %q, %d are of others", device, passed)
}
