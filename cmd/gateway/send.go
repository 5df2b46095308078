package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// sending is one use of gateway send.
type sending struct {
	call
	config string // --config
	list   bool   // --list
	order  tellOrder
}

func sendCommand() *cobra.Command {
	s := &sending{}
	cmd := s.flags(&cobra.Command{
		Use:   "send DEVICE COMMAND [VALUE]",
		Short: "Tell a device something: to switch, to take a set-point",
		Long: `Tell a device something over the gateway that runs: one of the commands of its
profile, with a value where that wants one. It waits until the device has confirmed
it, as far as the command says how: registers are read back, a metric that the
command reads has to show the value, an answer has to come.

It ends with 0 when that is done. 1: it is not, and the message says whether the
device may have done it all the same. 2: there is no such device or command, or the
value is not one that it takes; then nothing was sent.`,
		Example: `  gateway send --list
  gateway send living setpoint 21.5
  gateway send meter-1 limit 40 --timeout 2s --config /etc/sluice/config.yaml`,
		Args: s.arguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.list {
				return s.listCommands(cmd, args)
			}
			return s.tell(cmd, args)
		},
	}, "one JSON object, or with --list one per command,")
	cmd.Flags().Lookup("dir").Usage = "folder of the gateway's journal, instead of a configuration's pipeline.dir"
	cmd.Flags().StringVar(&s.config, "config", defaultConfig, "configuration of the gateway that runs")
	cmd.Flags().StringVar(&s.order.Driver, "driver", "", "the driver that has the device, when several have one of that name")
	cmd.Flags().DurationVar(&s.order.Timeout, "timeout", 5*time.Second, "how long to wait for the device")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if strings.Contains(err.Error(), "shorthand") {
			err = fmt.Errorf("%w: a value that begins with - goes behind --", err)
		}
		return usageError{err}
	})
	cmd.Flags().BoolVar(&s.list, "list", false, "list what DEVICE, or every device, can be told")
	return cmd
}

// arguments takes what is to be told, or whom to list.
func (s *sending) arguments(_ *cobra.Command, args []string) error {
	switch {
	case s.list && len(args) > 1:
		return usageError{errors.New("takes at most a device with --list")}
	case s.list:
		return nil
	case len(args) < 2:
		return usageError{errors.New("want a device and a command; --list shows them")}
	case len(args) > 3:
		return usageError{fmt.Errorf("takes a device, a command and a value, got %d arguments: put a value with blanks in quotes", len(args))}
	case len(args) == 3 && args[2] == "":
		return usageError{errors.New("the value is empty: leave it out, or say one")}
	}
	return nil
}

func (s *sending) tell(cmd *cobra.Command, args []string) error {
	s.order.Device, s.order.Command = args[0], args[1]
	if len(args) == 3 {
		s.order.Value = args[2]
	}
	var text bytes.Buffer
	err := s.ask(cmd, "/devices/tell", &s.order, &text)
	switch {
	case errors.Is(err, errBroken), errors.Is(err, io.EOF):
		return fmt.Errorf("%w; the device may have done it", err)
	case err != nil:
		return err
	}
	out := cmd.OutOrStdout()
	if s.asJSON {
		_, err := out.Write(text.Bytes())
		return err
	}
	var told toldDevice
	d := json.NewDecoder(&text)
	d.UseNumber() // as it was written
	if err := d.Decode(&told); err != nil {
		return errBroken
	}
	return told.print(out)
}

// print says for people what became of a command.
func (t *toldDevice) print(w io.Writer) error {
	result := t.Outcome
	if t.Shows != nil {
		result = printable(strings.TrimSpace(fmt.Sprint(t.Shows, " ", t.Unit)))
	}
	took := time.Duration(t.Seconds * float64(time.Second)).Round(100 * time.Microsecond)
	_, err := fmt.Fprintf(w, "%s: %s is %s (%v)\n", printable(t.Device), printable(t.Command), result, took)
	return err
}

func (s *sending) listCommands(cmd *cobra.Command, args []string) error {
	order := &commandsOrder{Driver: s.order.Driver, Device: strings.Join(args, "")}
	if s.asJSON {
		return s.ask(cmd, "/devices/commands", order, cmd.OutOrStdout())
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	begun := false
	err := s.ask(cmd, "/devices/commands", order, &lines{each: func(line []byte) error {
		var l listedCommand
		if err := json.Unmarshal(line, &l); err != nil {
			return errBroken
		}
		if !begun {
			begun = true
			fmt.Fprintln(table, "driver\tdevice\tcommand\tvalue")
		}
		device := printable(l.Device)
		if l.Device == "" {
			device = "any of " + printable(l.Topic)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.Driver, device, printable(l.Command), orDash(l.Value))
		return err
	}})
	return after(err, table.Flush)
}

// ask has the gateway that runs do something.
func (s *sending) ask(cmd *cobra.Command, page string, order any, out io.Writer) error {
	s.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
	var named []string
	if cmd.Flags().Changed("config") || !cmd.Flags().Changed("dir") {
		named = []string{s.config}
	}
	at, err := s.locate(named, cmd.Flags().Changed("dir"))
	if err != nil {
		return err
	}
	return at.ask(cmd.Context(), page, order, out, s.screen)
}

// ask is for what only the gateway that runs can do.
func (at journalAt) ask(ctx context.Context, page string, order any, out io.Writer, s *screen) error {
	conn, err := dialControl(at.config.Dir)
	if err != nil {
		return fmt.Errorf("no gateway that runs on %s can be reached: %w", at.config.Dir, err)
	}
	result := &answer{out: out}
	err = post(ctx, conn, page, order, result)
	for _, note := range result.notes {
		s.note("gateway: " + note)
	}
	return err
}
