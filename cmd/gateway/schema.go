package main

import (
	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a configuration, for editors",
		Long: `Print the JSON Schema (draft-07) of a configuration. Editors with a YAML language
server check and complete a file with it that has the line

  # yaml-language-server: $schema=sluice.schema.json

The schema knows keys and words; gateway check knows all the rest.`,
		Example: "  gateway schema > sluice.schema.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Schema())
			return err
		},
	}
}
