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
column; of one that is right what could be better, and what follows from it: the
topics that are subscribed to, the requests that each bus carries and how busy it is.
Exit code 0: right; 2: not.`,
		Example: "  gateway check\n  gateway check --json /etc/sluice/config.yaml",
		Args:    configArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			path := configPath(args)
			f, err := load(path, config.Options{})
			if err == nil {
				err = tryParts(f)
			}
			var follows consequences
			if err == nil {
				follows, err = consequencesOf(f)
			}
			if asJSON {
				return checkJSON(cmd.OutOrStdout(), f, follows, err)
			}
			if err != nil {
				return err
			}
			return checkText(cmd.OutOrStdout(), path, f, follows)
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

// checkText prints what there is to say of a configuration that is right.
func checkText(w io.Writer, path string, f *config.File, follows consequences) error {
	if _, err := fmt.Fprintf(w, "%s is right: %s, %s, %s\n", path,
		count(len(f.Drivers), "driver"), count(len(f.Devices), "device row"), count(len(f.Sinks), "sink")); err != nil {
		return err
	}
	for _, p := range f.Warnings {
		if _, err := fmt.Fprintf(w, "%s:%d:%d: warning: %s\n", p.File, p.Line, p.Column, p.Message); err != nil {
			return err
		}
	}
	for _, text := range follows.warnings() {
		if _, err := fmt.Fprintf(w, "warning: %s\n", text); err != nil {
			return err
		}
	}
	return follows.print(w)
}

// checkJSON prints what checking found and returns an error that says it was
// printed.
func checkJSON(w io.Writer, f *config.File, follows consequences, err error) error {
	type problem struct {
		File    string `json:"file,omitempty"` // "": no place in particular
		Line    int    `json:"line,omitempty"`
		Column  int    `json:"column,omitempty"`
		Message string `json:"message"`
	}
	verdict := struct {
		OK       bool      `json:"ok"`
		Problems []problem `json:"problems"`
		Warnings []problem `json:"warnings"`
		consequences
	}{OK: err == nil, Problems: []problem{}, Warnings: []problem{}, consequences: follows}
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	for _, p := range problems {
		verdict.Problems = append(verdict.Problems, problem(p))
	}
	if verdict.OK {
		for _, p := range f.Warnings {
			verdict.Warnings = append(verdict.Warnings, problem(p))
		}
		for _, text := range follows.warnings() {
			verdict.Warnings = append(verdict.Warnings, problem{Message: text})
		}
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
