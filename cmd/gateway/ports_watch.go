package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/drivers/serial/port"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// watchCall is one call of gateway ports watch.
type watchCall struct {
	line, frame, trace string
	span               time.Duration
	count              int
}

func portsWatchCommand() *cobra.Command {
	c := &watchCall{}
	cmd := &cobra.Command{
		Use:   "watch PORT",
		Short: "Show what arrives at a serial port",
		Long: `Show the bytes that arrive at a serial port, with the time, in hexadecimal digits
and as text; or the frames that a serial driver would make of them. Nothing is
sent. When the plug is pulled, wait for the device to come back.

A port that the running gateway has open cannot be watched: set "trace: FILE" of
its driver there.`,
		Example: `  gateway ports watch /dev/serial/by-id/usb-… --line 9600
  gateway ports watch /dev/ttyS0 --line '19200 8E1' --frame modbus_rtu --for 1m
  gateway ports watch /dev/ttyS0 --line 9600 --frame '{delimited: {start: "hex:02", end: "hex:03"}}'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("takes one port, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.line, "line", "", "the device's line settings, such as 9600 or '9600 7E1' (required)")
	f.StringVar(&c.frame, "frame", "", "show frames: a word or a mapping, as a serial driver's frame")
	f.DurationVar(&c.span, "for", 0, "end after this long; default: when interrupted")
	f.IntVar(&c.count, "count", 0, "end after so many frames, or pieces of what arrives; default: see --for")
	f.StringVar(&c.trace, "trace", "", "also record what is shown as bytes in a file")
	return cmd
}

func (c *watchCall) run(ctx context.Context, path string, out, notes io.Writer) error {
	if c.line == "" {
		return usageError{errors.New("--line is required: the device's line settings, such as 9600 8N1")}
	}
	line, err := port.ParseLine(c.line)
	if err != nil {
		return usageError{fmt.Errorf("--line %w", err)}
	}
	view, err := c.view(out)
	if err != nil {
		return mistake(err)
	}
	if c.span > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.span)
		defer cancel()
	}
	opts := port.DefaultOptions()
	opts.Trace = c.trace
	keeper := port.NewKeeper(path, line, opts, slog.New(slog.NewTextHandler(notes, nil)))
	if err := follow(ctx, keeper, view, notes); !errors.Is(err, errShown) {
		return err
	}
	return nil
}

// follow shows what arrives until ctx ends. A port that is away at first is a
// mistake, later it is waited for.
func follow(ctx context.Context, keeper *port.Keeper, view *portView, notes io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var opened, noted bool
	var missing error
	away := func(err error) {
		switch {
		case !opened:
			missing = err
			cancel()
		case !noted:
			noted = true
			fmt.Fprintln(notes, "port is gone, waiting for it")
		}
	}
	err := keeper.Run(ctx, away, func(_ context.Context, c port.Conn) (heard bool, err error) {
		opened, noted = true, false
		return view.show(c)
	})
	if missing != nil {
		return missing
	}
	return err
}

// portView prints what arrives.
type portView struct {
	out    io.Writer
	frames frame.Reader // nil: bytes are shown
	gap    time.Duration
	left   int         // what is still to be shown; 0: no end
	told   frame.Stats // what was said of frames that were none
	text   []byte      // used again
}

func (c *watchCall) view(out io.Writer) (*portView, error) {
	v := &portView{out: out, left: c.count}
	if c.frame == "" {
		return v, nil
	}
	framing, err := config.ParseFraming(c.frame, payload.Decode{})
	if err != nil {
		return nil, err
	}
	v.gap = framing.Gap()
	v.frames, err = frame.New(framing)
	return v, err
}

// show prints what arrives at p until p fails, and reports whether anything did.
func (v *portView) show(p port.Conn) (heard bool, err error) {
	if v.frames != nil {
		v.frames.Reset() // a frame cut by the last failure has no end
	}
	var b [4096]byte
	for {
		n, err := p.Read(b[:])
		now := time.Now()
		heard = heard || n > 0
		switch {
		case n > 0 && v.frames == nil:
			err = errors.Join(err, v.print(now, b[:n]))
		case n > 0:
			v.frames.Feed(b[:n])
			err = errors.Join(err, v.printFrames(now), p.SetReadDeadline(v.quietAt(now)))
		case v.gap > 0 && errors.Is(err, os.ErrDeadlineExceeded):
			v.frames.Idle()
			err = errors.Join(v.printFrames(now), p.SetReadDeadline(time.Time{}))
		}
		if err != nil {
			return heard, err
		}
	}
}

// quietAt returns when a line that was last heard now is quiet for long enough
// to end a frame; never: the zero time.
func (v *portView) quietAt(now time.Time) time.Time {
	if v.gap == 0 {
		return time.Time{}
	}
	return now.Add(v.gap)
}

const watchStamp = "15:04:05.000000"

// print shows b. It returns errShown when that was the last to be shown.
func (v *portView) print(at time.Time, b []byte) error {
	v.text = port.AppendDump(v.text[:0], at.Format(watchStamp), port.Received, b)
	if _, err := v.out.Write(v.text); err != nil {
		return err
	}
	if v.left--; v.left == 0 {
		return errShown
	}
	return nil
}

// printFrames prints the frames there are, and before each what was none.
func (v *portView) printFrames(at time.Time) error {
	for {
		f, ok := v.frames.Next()
		if err := v.printBad(at); err != nil || !ok {
			return err
		}
		if err := v.print(at, f); err != nil {
			return err
		}
	}
}

// printBad says what was no frame since the last time.
func (v *portView) printBad(at time.Time) error {
	was, s := v.told, v.frames.Stats()
	v.told = s
	if s.Bad == was.Bad && s.TooLong == was.TooLong && s.Skipped == was.Skipped {
		return nil
	}
	_, err := fmt.Fprintf(v.out, "%s # %d bad, %d too long, %d bytes skipped\n",
		at.Format(watchStamp), s.Bad-was.Bad, s.TooLong-was.TooLong, s.Skipped-was.Skipped)
	return err
}
