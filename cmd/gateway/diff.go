package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

// exitDiffers is the exit code of diff for configurations that differ, as that of
// diff(1).
const exitDiffers = 1

func diffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say what 'gateway reload' would do about a changed configuration",
		Long: `Compare two configurations by what they mean and say what becomes of each driver
and sink when the second takes the place of the first in a gateway that runs: kept,
updated (it takes other devices without a reconnect), restarted, renamed, added or
removed, with the settings that differ; and which settings take a restart.

Files that stand in different folders are compared as if they stood in one. Values are
not printed: they may be secret.
Exit code 0: they mean the same; 1: they do not; 2: one of them is wrong.`,
		Example: "  gateway diff config.yaml new.yaml\n  git show HEAD:config.yaml > old.yaml; gateway diff old.yaml config.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("want two configuration files, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			before, err := load(args[0], config.Options{})
			if err != nil {
				return err
			}
			after, err := load(args[1], config.Options{})
			if err != nil {
				return err
			}
			p := newPlan(before, after, sameBelow(filepath.Dir(args[0]), filepath.Dir(args[1])))
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(p)
			} else {
				err = p.print(cmd.OutOrStdout())
			}
			if err == nil && !p.isEmpty() {
				err = toldError{exitDiffers}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object on standard output")
	return cmd
}
