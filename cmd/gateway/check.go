package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

func checkCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [CONFIG]",
		Short: "Say everything that is wrong with a configuration",
		Long: `Read a configuration as run does and print every mistake with its line and
column. Exit code 0: right; 2: not.`,
		Example: "  gateway check\n  gateway check --json /etc/sluice/config.yaml",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			path := configPath(args)
			f, err := load(path, config.Options{})
			if err == nil {
				err = tryParts(f)
			}
			if asJSON {
				return checkJSON(cmd.OutOrStdout(), err)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right: %s, %s, %s\n", path,
				count(len(f.Drivers), "driver"), count(len(f.Devices), "device row"), count(len(f.Sinks), "sink"))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object on standard output")
	return cmd
}

// tryParts makes every driver and sink and lets go of it: that reads the files
// which they need, such as certificates, and connects to nothing.
func tryParts(f *config.File) error {
	quiet := slog.New(slog.DiscardHandler)
	for _, d := range f.Drivers {
		if _, err := newDriver(f, d, quiet); err != nil {
			return usageError{fmt.Errorf("driver %s: %w", d.Name, err)}
		}
	}
	for _, s := range f.Sinks {
		made, err := newSink(f, s, quiet)
		if err != nil {
			return usageError{fmt.Errorf("sink %s: %w", s.Name, err)}
		}
		made.Close()
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// checkJSON prints what checking found and returns an error that says it was
// printed.
func checkJSON(w io.Writer, err error) error {
	type problem struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
	}
	verdict := struct {
		OK       bool      `json:"ok"`
		Problems []problem `json:"problems"`
	}{OK: err == nil, Problems: []problem{}}
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		verdict.Problems = append(verdict.Problems, problem(p))
	}
	text, _ := json.Marshal(verdict) // strings and numbers alone: cannot fail
	if _, err := fmt.Fprintf(w, "%s\n", text); err != nil {
		return err
	}
	if !verdict.OK {
		return toldError{exitUsage}
	}
	return nil
}
