package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/pipeline"
)

// devicesOrder asks for a list of the devices.
type devicesOrder struct {
	Driver string `json:"driver,omitempty"` // "": of all
	State  string `json:"state,omitempty"`  // "": in any
}

// listedDevice is a device as the gateway tells it.
type listedDevice struct {
	Driver     string            `json:"driver"`
	Device     string            `json:"device"`
	Profile    string            `json:"profile"`
	Tags       map[string]string `json:"tags,omitempty"`
	State      string            `json:"state"`
	Heard      time.Time         `json:"heard,omitzero"` // zero: never since the start
	Readings   uint64            `json:"readings"`
	Suppressed uint64            `json:"suppressed"`
}

func newListedDevice(p pipeline.Presence) listedDevice {
	l := listedDevice{
		Driver: p.Device.Driver, Device: p.Device.Name, Profile: p.Device.Profile,
		State: string(p.State), Readings: p.Readings, Suppressed: p.Suppressed,
	}
	for _, t := range p.Device.Tags {
		if l.Tags == nil {
			l.Tags = map[string]string{}
		}
		l.Tags[t.Key] = t.Value
	}
	if p.Heard != 0 {
		l.Heard = p.Heard.Time()
	}
	return l
}

// devicesUse is one use of gateway devices.
type devicesUse struct {
	call
	order devicesOrder
}

func devicesCommand() *cobra.Command {
	u := &devicesUse{}
	cmd := u.flags(&cobra.Command{
		Use:   "devices [CONFIG]",
		Short: "List the devices: when each was last heard",
		Long: `List the devices of the gateway that runs: those that the configuration names, and
those that were heard since the start. Each has one of these states.

  unheard  it has said nothing since the start
  live
  silent   nothing came for longer than the stale_after of its profile
  offline  it, or its broker, has said that it is gone

What report rules have held back is counted under suppressed.`,
		Example: "  gateway devices\n  gateway devices --state silent /etc/sluice/config.yaml\n  gateway devices --json | jq -r .device",
		Args:    configArg,
		RunE:    func(cmd *cobra.Command, args []string) error { return u.list(cmd, args) },
	}, "one JSON object per device,")
	cmd.Flags().Lookup("dir").Usage = "folder of the gateway's journal, instead of a configuration's pipeline.dir"
	cmd.Flags().StringVar(&u.order.State, "state", "", "only those that are unheard, live, silent or offline")
	cmd.Flags().StringVar(&u.order.Driver, "driver", "", "only those of this driver")
	return cmd
}

func (u *devicesUse) list(cmd *cobra.Command, args []string) error {
	if err := checkState(u.order.State); err != nil {
		return err
	}
	u.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
	at, err := u.locate(args, cmd.Flags().Changed("dir"))
	if err != nil {
		return err
	}
	if u.asJSON {
		return at.ask(cmd.Context(), "/devices", u.order, cmd.OutOrStdout(), u.screen)
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "driver\tdevice\tprofile\tstate\tlast heard\treadings\tsuppressed")
	err = at.ask(cmd.Context(), "/devices", u.order, &lines{each: func(line []byte) error {
		var l listedDevice
		if err := json.Unmarshal(line, &l); err != nil {
			return errBroken
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", l.Driver, printable(l.Device), l.Profile, l.State, momentText(l.Heard), l.Readings, l.Suppressed)
		return err
	}}, u.screen)
	if err != nil {
		return err
	}
	return table.Flush()
}

func checkState(state string) error {
	states := pipeline.PresenceStates()
	if state == "" || slices.Contains(states, pipeline.PresenceState(state)) {
		return nil
	}
	var names []string
	for _, s := range states {
		names = append(names, string(s))
	}
	hint := config.Suggest(state, names)
	if hint == "" {
		hint = ", want " + strings.Join(names, ", ")
	}
	return usageError{fmt.Errorf("--state is %q%s", state, hint)}
}

// listDevices says what an order asks for, one device per line.
func (g *gateway) listDevices(o *devicesOrder, out *answer) error {
	if err := checkState(o.State); err != nil {
		return err
	}
	var names []string
	for _, d := range g.parts() {
		names = append(names, d.name)
	}
	if o.Driver != "" && !slices.Contains(names, o.Driver) {
		return usageError{fmt.Errorf("there is no driver %q%s", o.Driver, config.Suggest(o.Driver, names))}
	}
	buffered := bufio.NewWriterSize(out.out, bufferSize)
	list := &answer{out: buffered}
	for _, p := range g.pipeline.Devices() {
		if o.Driver != "" && p.Device.Driver != o.Driver || o.State != "" && string(p.State) != o.State {
			continue
		}
		if err := list.say(newListedDevice(p)); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
