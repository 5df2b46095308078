package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/protocol/modbus"
)

const plant = `
gateway: plant-7
drivers:
  meters: {modbus: {port: /dev/ttyUSB0, line: 19200 8E1}}
  plc: {modbus: {url: "tcp://plc"}}
  scales: {serial: {port: /dev/ttyUSB1, line: 9600 8N1}}
profiles:
  meter: {poll: 1s, metrics: {power: {holding: 0, type: float32}}}
  scale:
    decode: {regex: '(?P<weight>-?[0-9.]+) kg'}
    poll: 1s
    ask: {request: "{unit}W\r", expect: "{unit}:"}
devices:
  - {via: meters, profile: meter, unit: 1-2, device: "m-{unit}"}
  - {via: plc, profile: meter, unit: 3, device: "p-{unit}"}
  - {via: scales, profile: scale, unit: 1-2, device: "s-{unit}"}
pipeline: {dir: data}
sinks: {archive: {file: {path: out.json}}}
`

// written returns where the plant's configuration is.
func written(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plant.yaml")
	if err := os.WriteFile(path, []byte(plant), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBusesArePlayed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, lines := io.Pipe()
	var errs bytes.Buffer
	c := command(lines, &errs)
	ports := t.TempDir()
	c.SetArgs([]string{"--config", written(t), "--ports", ports, "--fault", "exception:p-3", "--fault", "silent:m-1@1h"})
	ended := make(chan error, 1) // the program's result
	go func() {
		ended <- c.ExecuteContext(ctx)
		lines.Close()
	}()
	told := bufio.NewScanner(out)
	next := func() string {
		told.Scan()
		return told.Text()
	}
	if got, want := next(), "bus of meters: "+ports+"/meters"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	address, ok := strings.CutPrefix(next(), "bus of plc: 127.0.0.1:")
	if !ok {
		t.Fatalf("no address is told: %s", told.Text())
	}
	if got, want := next(), "bus of scales: "+ports+"/scales"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	refused := askUntilRefused(t, "127.0.0.1:"+address)
	cancel()
	var rest []string
	for told.Scan() {
		rest = append(rest, told.Text())
	}
	if err := <-ended; err != nil {
		t.Error(err, errs.String())
	}
	end := strings.Join(rest, "\n")
	if !refused || !strings.Contains(end, "5 devices sent ") || !strings.Contains(end, "\nbus of plc: ") ||
		!strings.Contains(end, "bus of meters: 0 requests, 0 answers, 0 violations; faults: silent 0") || !strings.Contains(end, "violations; faults: exception ") {
		t.Errorf("refused: %v, end: %s", refused, end)
	}
}

// askUntilRefused asks unit 3 at an address until it answers with an exception.
func askUntilRefused(t *testing.T, address string) bool {
	t.Helper()
	var conn net.Conn
	for t.Context().Err() == nil { // it comes with the play
		var err error
		if conn, err = net.Dial("tcp", address); err == nil {
			break
		}
	}
	defer conn.Close()
	q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: 2}
	pdu, err := q.Append(nil)
	for range 1000 {
		answer := make([]byte, 7+6)
		if _, failed := conn.Write(modbus.AppendTCP(nil, 1, 3, pdu)); failed != nil || err != nil {
			t.Fatal(err, failed)
		}
		if n, err := io.ReadAtLeast(conn, answer, 9); err != nil || n < 9 {
			t.Fatal(n, err)
		}
		if answer[7] == 0x83 {
			return true
		}
	}
	return false
}

func TestWrongFaults(t *testing.T) {
	for want, args := range map[string][]string{
		`did you mean "silent"?`:                  {"--fault", "silnt:m-1"},
		`did you mean "m-1"`:                      {"--fault", "silent:m1"},
		"strikes all that is on a bus":            {"--fault", "unplug:p-3"},
		"takes Modbus":                            {"--fault", "wrong_unit:scales"},
		"--modbus-port is 70000, want 1 to 65535": {"--modbus-port", "70000"},
	} {
		_, _, err := run(t, append(args, "--config", written(t))...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
		if failure := (*failed)(nil); errors.As(err, &failure) {
			t.Errorf("%v: is not a mistake of the command line", args)
		}
	}
}
