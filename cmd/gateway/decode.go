package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// decodeCall is one call of gateway decode.
type decodeCall struct {
	config, profile, topic, device, metric, received, frame string
	files                                                   []string
	hex, asJSON                                             bool
}

func decodeCommand() *cobra.Command {
	c := &decodeCall{}
	cmd := &cobra.Command{
		Use:   "decode",
		Short: "Say what a message of a device gives: its readings, or exactly why none",
		Long: `Decode one message from standard input, or one from each file, as the gateway
would. The profile is one of the configuration, one that comes with the program
(gateway profiles ls), or a file that holds a profile alone. With a topic and no
profile the configuration's devices say which it is. docs/decoders.md has an example
of every decoder.

Exit code 0: every message gave readings; 1: not; 2: wrong call.`,
		Example: `  echo '{"t":21.4,"rh":453}' | gateway decode --profile climate --topic plant/a/s1/climate
  echo '{"t":21.4,"rh":453}' | gateway decode --topic plant/a/s1/climate
  echo '0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F' | gateway decode --profile builtin/ruuvi --hex
  gateway decode --profile ./mine.yaml --file captured.json --json
  gateway decode --profile builtin/victron --frame auto --file captured.bin`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.InOrStdin(), cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&c.config, "config", defaultConfig, "the configuration with the profiles and devices")
	f.StringVar(&c.profile, "profile", "", "a profile's name, or a file that holds one alone (.yaml)")
	f.StringVar(&c.topic, "topic", "", "the MQTT topic that the message came on; the configuration's row for it names device and metric")
	f.StringVar(&c.device, "device", "", "the device's name, where no topic tells it")
	f.StringVar(&c.metric, "metric", "", "the metric that the topic names, where no device row tells it")
	f.StringVar(&c.received, "received", "", "when it was received (RFC 3339); default now")
	f.StringArrayVar(&c.files, "file", nil, "read the message from a file; may be given several times, for messages in order")
	f.StringVar(&c.frame, "frame", "", "the input is a stream, cut as a serial driver's frame does it: a word or a mapping; auto: as the profile's devices do it")
	f.BoolVar(&c.hex, "hex", false, "messages are written in hexadecimal digits")
	f.BoolVar(&c.asJSON, "json", false, "print one JSON object per message")
	return cmd
}

func (c *decodeCall) run(in io.Reader, out io.Writer) error {
	m, profile, err := c.route()
	if err != nil {
		return mistake(err)
	}
	decoder, err := payload.New(*profile)
	if err != nil {
		return usageError{err}
	}
	if m.Received, err = c.receivedAt(); err != nil {
		return usageError{err}
	}
	messages, err := c.messages(in)
	if err != nil {
		return usageError{err}
	}
	if c.frame != "" {
		if messages, err = c.cut(messages, profile.Decode); err != nil {
			return mistake(err)
		}
	}
	refused := len(messages) == 0
	for _, m.Payload = range messages {
		batch := &protocol.Batch{}
		err := decoder.Decode(batch, m)
		refused = refused || err != nil
		if err := c.print(out, result{batch, err, decoder}); err != nil {
			return err
		}
	}
	if refused {
		return toldError{exitFailure}
	}
	return nil
}

// mistake marks an error as the caller's; problems of a file speak for themselves.
func mistake(err error) error {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return problems
	}
	return usageError{err}
}

func (c *decodeCall) receivedAt() (protocol.Timestamp, error) {
	if c.received == "" {
		return protocol.At(time.Now()), nil
	}
	at, err := time.Parse(time.RFC3339Nano, c.received)
	if err != nil {
		return 0, fmt.Errorf("--received is %q, want a time such as 2026-11-22T12:00:00Z", c.received)
	}
	return protocol.At(at), nil
}

// messages returns what is to be decoded, in order.
func (c *decodeCall) messages(in io.Reader) ([][]byte, error) {
	if len(c.files) == 0 {
		text, err := c.read(in)
		if err == nil {
			text, err = c.unhex(text)
		}
		return [][]byte{text}, err
	}
	var list [][]byte
	for _, path := range c.files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		text, err := c.read(f)
		f.Close()
		if err == nil {
			text, err = c.unhex(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, text)
	}
	return list, nil
}

// read reads one message and a little more than the largest that any driver
// takes, which the decoder then refuses; of a stream more.
func (c *decodeCall) read(in io.Reader) ([]byte, error) {
	most := int64(1<<20 + 1)
	if c.hex || c.frame != "" {
		most = 64 << 20
	}
	return io.ReadAll(io.LimitReader(in, most))
}

// unhex undoes hexadecimal digits, which may stand in groups and lines.
func (c *decodeCall) unhex(text []byte) ([]byte, error) {
	if !c.hex {
		return text, nil
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == ':' || r == '-' {
			return -1
		}
		return r
	}, string(text))
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0X")
	message, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("the message is not hexadecimal: %s", strings.TrimPrefix(err.Error(), "encoding/hex: "))
	}
	if len(message) == 0 {
		return nil, errors.New("the message is empty")
	}
	return message, nil
}
