// Gateway is the Sluice IoT device gateway: it takes readings from devices,
// keeps them, and forwards them to where they are wanted.
//
// This package alone knows every kind of driver and sink. main.go and run.go
// show how the program starts and ends, wiring.go how it is put together.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // edge boxes may have no zones of their own

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
)

// The exit codes, for scripts.
const (
	exitOK      = 0
	exitFailure = 1 // the work could not be done
	exitUsage   = 2 // the command line or the configuration is wrong
)

// usageError is a mistake of whoever called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// toldError ends the program with code; the reason has been printed.
type toldError struct{ code int }

func (e toldError) Error() string { return "as printed" }

func main() { os.Exit(program()) }

func program() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// From the first signal on the second one has its usual effect: it ends
	// the process at once.
	context.AfterFunc(ctx, stop)
	return exitCode(rootCommand().ExecuteContext(ctx))
}

func exitCode(err error) int {
	var usage usageError
	var problems config.Problems
	var told toldError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &told):
		return told.code
	case errors.As(err, &problems):
		printProblems(os.Stderr, problems)
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "gateway:", err)
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "gateway",
		Short: "Sluice takes readings from devices, keeps them, and forwards them",
		Long: `Sluice is an IoT device gateway. One file, config.yaml by default, says which
devices to talk to and where their readings go.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usageError{errors.New("name a command")}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(runCommand(), reloadCommand(), diffCommand(), checkCommand(), rehearseCommand(), journalCommand(), deadCommand(), devicesCommand(), sendCommand(), decodeCommand(), explainCommand(), casesCommand(), profilesCommand(), portsCommand(), manualCommand(), schemaCommand(), versionCommand())
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
	}
	return nil
}

// defaultConfig is the file that commands take when none is named.
const defaultConfig = "config.yaml"

// configArg takes the one optional argument of a command.
func configArg(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("takes one configuration file, got %d arguments", len(args))}
	}
	return nil
}

func configPath(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	return defaultConfig
}

// load reads a configuration file. A file that cannot be read is a mistake of
// the caller's, as a wrong one is.
func load(path string, opts config.Options) (*config.File, error) {
	f, err := config.Load(path, opts)
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return nil, usageError{err}
	}
	return f, err
}
