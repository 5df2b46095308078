package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/firmware-sim/fleet"
	"sluice/protocol"
)

// settings are the flags.
type settings struct {
	config       string
	broker       string
	username     string
	passwordFile string
	ports        string
	modbusPort   int
	faults       fleet.Faults
	devices      int
	rate         float64
	lineRate     float64
	length       time.Duration
	seed         uint64
	json         bool
}

func command(out, errs io.Writer) *cobra.Command {
	var s settings
	c := &cobra.Command{
		Use:   "firmware-sim",
		Short: "Play the devices of a gateway's configuration",
		Long: `Play the devices of a gateway's configuration: MQTT devices publish to a broker,
and for every serial port and Modbus bus there is a pseudo terminal, or an address
on this machine, that a gateway can be pointed at; they are told at the start.

` + fleet.FaultHelp,
		Example: `  firmware-sim --config config.yaml --broker tcp://127.0.0.1:1883
  firmware-sim --config plant.yaml --ports /tmp/ports --modbus-port 5020
  firmware-sim --config plant.yaml --fault silent:meter-3@30s+60s --fault unplug:meters@20s+5s`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			return play(c.Context(), &s, out, errs)
		},
	}
	f := c.Flags()
	f.StringVar(&s.config, "config", "config.yaml", "the gateway's `file`; its secrets are not read")
	f.StringVar(&s.broker, "broker", "", "`url` of the broker to publish to instead of the file's, such as tcp://127.0.0.1:1883")
	f.StringVar(&s.username, "username", "", "user `name` at the broker")
	f.StringVar(&s.passwordFile, "password-file", "", "`file` that holds the password at the broker")
	f.StringVar(&s.ports, "ports", "", "existing `folder` for the links to serial ports, each named after its driver (default a temporary one)")
	f.IntVar(&s.modbusPort, "modbus-port", 0, "TCP `port` of the first Modbus driver with a url, of the next ones the following (default free ones)")
	f.Var(&s.faults, "fault", fleet.FaultUsage)
	f.IntVar(&s.devices, "devices", 50, "devices for every topic that captures {device}")
	f.Float64Var(&s.rate, "rate", 0, "MQTT messages per second of all devices together (default one per device)")
	f.Float64Var(&s.lineRate, "line-rate", 10, "lines per second of each serial device at most")
	f.DurationVar(&s.length, "for", 0, "end after this `time` (default when interrupted)")
	f.Uint64Var(&s.seed, "seed", 1, "same seed, same values")
	f.BoolVar(&s.json, "json", false, "print ports and summary as JSON, one object per line")
	c.SetOut(out)
	c.SetErr(errs)
	return c
}

func (s *settings) check() error {
	switch {
	case s.devices < 1 || s.devices > 100_000:
		return fmt.Errorf("--devices is %d, want 1 to 100000", s.devices)
	case s.rate < 0 || s.rate > 1e6:
		return fmt.Errorf("--rate is %g, want 0 to 1000000 messages per second", s.rate)
	case s.lineRate <= 0 || s.lineRate > 1000:
		return fmt.Errorf("--line-rate is %g, want above 0 to 1000 lines per second", s.lineRate)
	case s.modbusPort < 0 || s.modbusPort > 65535:
		return fmt.Errorf("--modbus-port is %d, want 1 to 65535", s.modbusPort)
	case s.length < 0:
		return fmt.Errorf("--for is %v, want 0s or longer", s.length)
	case s.passwordFile != "" && s.username == "":
		return errors.New("--password-file wants --username")
	}
	return nil
}

// play simulates the fleet of the file until ctx ends.
func play(ctx context.Context, s *settings, out, errs io.Writer) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	file, err := config.Load(s.config, config.Options{Secrets: config.Skip})
	if err != nil {
		return err
	}
	model, err := fleet.FromConfig(file, fleet.Options{Devices: s.devices, Seed: s.seed})
	if err != nil {
		return err
	}
	if err := model.AddFaults(s.faults...); err != nil {
		return err
	}
	brokers, err := s.brokers(file)
	if err != nil {
		return err
	}
	folder, remove, err := s.folder()
	if err != nil {
		return &failed{err}
	}
	defer remove()
	f, err := fleet.Open(model, fleet.Play{
		Brokers: brokers, Ports: folder, Rate: s.rate, LineRate: s.lineRate, TCPPort: s.modbusPort,
		Log: slog.New(slog.NewTextHandler(errs, nil)),
	})
	if err != nil {
		return &failed{err}
	}
	defer func() {
		if closed := f.Close(); closed != nil && err == nil {
			err = &failed{closed}
		}
	}()
	r := &report{out: out, errs: errs, json: s.json, fleet: f, seed: s.seed}
	r.begin(model.Notes())
	if s.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.length)
		defer cancel()
	}
	if err := r.during(ctx, f.Run); err != nil {
		return &failed{err}
	}
	return r.end()
}

// brokers returns where the devices of each MQTT driver publish.
func (s *settings) brokers(file *config.File) (map[string]fleet.Broker, error) {
	to := fleet.Broker{URL: s.broker, Username: s.username}
	if s.passwordFile != "" {
		text, err := os.ReadFile(s.passwordFile)
		if err != nil {
			return nil, fmt.Errorf("read password: %w", err)
		}
		to.Password = protocol.Secret(strings.TrimRight(string(text), "\r\n"))
	}
	brokers := make(map[string]fleet.Broker)
	for _, d := range file.Drivers {
		if d.MQTT == nil {
			continue
		}
		b := to
		if b.URL == "" {
			b.URL = d.MQTT.URL
		}
		brokers[d.Name] = b
	}
	return brokers, nil
}

// folder returns where the links to the ports go, and what removes it when it
// is a temporary one.
func (s *settings) folder() (string, func(), error) {
	if s.ports != "" {
		return s.ports, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "firmware-sim-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the ports: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}
