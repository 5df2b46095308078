package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// explainCall is one call of gateway explain.
type explainCall struct {
	decodeCall
	what string // a topic or a device
}

func explainCommand() *cobra.Command {
	c := &explainCall{}
	cmd := &cobra.Command{
		Use:   "explain TOPIC|DEVICE [PAYLOAD]",
		Short: "Say what becomes of a message, from the driver to every sink",
		Long: `Say which driver and row take the messages of a topic or of a device, what a
message gives, and what each sink would send: subject or topic and body, or the line.
PAYLOAD - reads the message from standard input; without one only what needs none is
said. The id of a message is zero here: the journal gives it when a reading is kept.

Exit code 0: it would be accepted; 1: it would be refused, or nobody takes it; 2:
wrong call.`,
		Example: `  gateway explain plant/a/s1/climate '{"t":21.4,"rh":453}'
  gateway explain weighbridge-1
  gateway explain plant/a/s1/climate - --json < captured.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{fmt.Errorf("name a topic or a device, and a message if there is one; got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c.what = args[0]
			return c.run(args[1:], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.config, "config", defaultConfig, "the configuration")
	f.StringVar(&c.received, "received", "", "when the message was received (RFC 3339); default now")
	f.BoolVar(&c.hex, "hex", false, "the message is written in hexadecimal digits")
	f.BoolVar(&c.asJSON, "json", false, "print one JSON object")
	return cmd
}

func (c *explainCall) run(message []string, in io.Reader, out io.Writer) error {
	f, err := load(c.config, config.Options{Secrets: config.Skip})
	if err != nil {
		return err
	}
	e := &explanation{file: f, deliveries: []delivered{}}
	if err := e.find(c.what); err != nil {
		return err
	}
	at, err := c.receivedAt()
	if err != nil {
		return usageError{err}
	}
	if len(message) == 1 {
		if message[0] != "-" {
			in = strings.NewReader(message[0])
		}
		text, err := c.messages(in)
		if err != nil {
			return usageError{err}
		}
		err = e.decode(payload.Message{Topic: e.topic, Metric: e.metric, Device: e.device, Payload: text[0], Received: at})
		if err != nil {
			return err
		}
	}
	return e.tell(out, c.asJSON)
}

// decode sets what a message gives. The received time stands in for that of a
// device which has none, as in the pipeline.
func (e *explanation) decode(m payload.Message) error {
	decoder, err := payload.New(*e.profile)
	if err != nil {
		return usageError{err}
	}
	batch := &protocol.Batch{}
	e.result = &result{batch, decoder.Decode(batch, m), decoder}
	for i := range batch.Readings {
		batch.Readings[i].ReceivedTime = m.Received
	}
	return nil
}

// tell prints the explanation; the error says that nothing is accepted.
func (e *explanation) tell(out io.Writer, asJSON bool) error {
	if err := e.weigh(); err != nil {
		return usageError{err}
	}
	var err error
	if asJSON {
		err = json.NewEncoder(out).Encode(e.summary())
	} else {
		err = e.print(out)
	}
	if err == nil && e.result != nil && e.result.refusal != nil {
		return toldError{exitFailure}
	}
	return err
}
