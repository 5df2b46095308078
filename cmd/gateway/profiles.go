package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

func profilesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "profiles",
		Example: "  gateway profiles ls\n  gateway profiles show builtin/shelly-plus",
		Short:   "Look at the profiles that come with the program",
		Long: `Profiles of common device families come with the program. A device row names one
as it names a profile of the file: "profile: builtin/zigbee2mqtt". To change one,
print it with show and put it under a name of your own in the configuration.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(profilesListCommand(), profilesShowCommand())
	return cmd
}

func profilesListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the profiles that come with the program",
		Example: "  gateway profiles ls\n  gateway profiles ls --json | jq -r .name",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listProfiles(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per profile")
	return cmd
}

func listProfiles(w io.Writer, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(w)
		for _, b := range config.Builtins() {
			err := lines.Encode(map[string]any{"name": b.Name, "decode": b.Profile.Decode.Kind(), "summary": b.Summary})
			if err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDECODE\tFOR")
	for _, b := range config.Builtins() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", b.Name, b.Profile.Decode.Kind(), b.Summary)
	}
	return table.Flush()
}

func profilesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a profile that comes with the program, as it stands in a file",
		Example: "  gateway profiles show builtin/ttn",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("takes the name of one profile, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			full := "builtin/" + strings.TrimPrefix(args[0], "builtin/")
			for _, b := range config.Builtins() {
				if b.Name == full {
					_, err := fmt.Fprint(cmd.OutOrStdout(), b.Text)
					return err
				}
			}
			return usageError{fmt.Errorf("no profile %q comes with the program%s", args[0], config.Suggest(full, builtinNames()))}
		},
	}
}
