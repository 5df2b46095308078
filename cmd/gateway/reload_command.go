package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

func reloadCommand() *cobra.Command {
	c := &call{}
	cmd := c.flags(&cobra.Command{
		Use:   "reload [CONFIG]",
		Short: "Have the gateway that runs take its configuration over",
		Long: `Have the gateway that runs take over what its configuration says by now, as SIGHUP
does, and say what became of each driver and sink: kept, updated (it takes other
devices without a reconnect), restarted, renamed, added or removed. 'gateway diff'
says so beforehand. Nothing is lost or doubled by it: a sink goes on at its cursor, a
broker keeps what comes while its driver restarts.

It is all or nothing. 0: the configuration is taken over. 1: the gateway goes on as
it was, because a setting has changed that takes a restart (gateway, http, pipeline
and log.format do) or something could not be made. 2: so it does, because the
configuration is wrong.`,
		Example: "  gateway reload\n  gateway reload --json /etc/sluice/config.yaml\n  gateway reload --dir /var/lib/sluice",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.screen = newScreen(cmd.OutOrStdout(), cmd.ErrOrStderr())
			at, err := c.locate(args, cmd.Flags().Changed("dir"))
			if err != nil {
				return err
			}
			var text bytes.Buffer
			if err := at.ask(cmd.Context(), "/reload", &reloadOrder{}, &text, c.screen); err != nil {
				return err
			}
			if c.asJSON {
				_, err := cmd.OutOrStdout().Write(text.Bytes())
				return err
			}
			var p plan
			if err := json.Unmarshal(text.Bytes(), &p); err != nil {
				return errBroken
			}
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "the configuration is taken over: %s\n", p.summary()); err != nil {
				return err
			}
			return p.print(cmd.OutOrStdout())
		},
	}, "one JSON object")
	cmd.Flags().Lookup("dir").Usage = "folder of the gateway's journal, instead of a configuration's pipeline.dir"
	return cmd
}

// reloadOrder has the gateway take its configuration over.
type reloadOrder struct{}

// reload takes the configuration over and says what was done.
func (g *gateway) reload(out *answer) error {
	if g.reloader == nil {
		return errors.New("the gateway cannot be changed while it runs")
	}
	p, err := g.reloader.reload()
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		return usageError{fmt.Errorf("the gateway goes on as it was: its configuration is wrong\n%w", problems)}
	case err != nil:
		return err
	}
	return out.say(p)
}
