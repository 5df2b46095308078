// Command firmware-sim plays the devices of a gateway's configuration: it
// publishes to an MQTT broker as the devices on its topics would, and offers a
// pseudo terminal for every serial port.
//
//	go run ./firmware-sim --config config.yaml --broker tcp://127.0.0.1:1883
//
// It ends on SIGINT and SIGTERM with a summary. Its exit code is 0 when all
// went well, 1 when not, and 2 when the command line or the file is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := command(os.Stdout, os.Stderr).ExecuteContext(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "firmware-sim:", err)
	if failure := (*failed)(nil); errors.As(err, &failure) {
		os.Exit(1)
	}
	os.Exit(2)
}

// failed marks what went wrong after command line and file were found right.
type failed struct{ err error }

func (f *failed) Error() string { return f.err.Error() }
func (f *failed) Unwrap() error { return f.err }
