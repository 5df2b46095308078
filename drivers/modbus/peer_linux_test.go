package modbus

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/drivers"
	"sluice/drivers/drivertest"
	"sluice/protocol"
	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

// TestPeer reads and writes a server that is not ours: pymodbus, by TCP and
// through a pair of ports that socat makes.
func TestPeer(t *testing.T) {
	ascii := lineConfig("115200 8N1")
	ascii.Mode = modeASCII
	for mode, c := range map[string]Config{
		"rtu": lineConfig("115200 8N1"), "ascii": ascii, "tcp": tcpConfig("tcp://h"), "rtu+tcp": tcpConfig("rtu+tcp://h:1"),
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel() // most of it is python starting up
			c.Timeout = 5 * time.Second
			if c.URL == "" {
				near, far := socat(t)
				c.Port = near
				startPeer(t, mode, far)
			} else {
				c.URL = mode + "://" + startPeer(t, mode, "-")
			}
			meetPeer(t, c)
		})
	}
}

// peerTables is what the peer holds, by address.
const peerTables = `{
	"coil": {"3": [1, 0]}, "discrete": {"17": [1]}, "input": {"199": [65531]},
	"holding": {"0": [17254, 32768], "10": [22136, 4660], "20": [1, 2, 3, 4], "30": [24930, 25344], "40": [4660, 16416, 0, 0, 0]}
}`

// peerProfile reads of every table, the last address too.
func peerProfile() *payload.Profile {
	p := &payload.Profile{Poll: 100 * time.Millisecond, Commands: commanded().Commands, Metrics: map[string]payload.Metric{
		"bcd":      {Type: "bcd", Register: payload.Register{Holding: ptr(40), Length: 2}},
		"bits":     {Type: "uint16", Register: payload.Register{Holding: ptr(40), Bits: "4-7"}},
		"closed":   {Register: payload.Register{Discrete: ptr(17)}},
		"double":   {Type: "float64", Register: payload.Register{Holding: ptr(41)}},
		"level":    {Type: "int16", Register: payload.Register{Input: ptr(199)}},
		"off":      {Register: payload.Register{Coil: ptr(4)}},
		"on":       {Register: payload.Register{Coil: ptr(3)}},
		"serial":   {Type: "string", Register: payload.Register{Holding: ptr(30), Length: 4}},
		"swapped":  {Type: "uint32", Register: payload.Register{Holding: ptr(10), Order: "CDAB"}},
		"total":    {Type: "uint64", Register: payload.Register{Holding: ptr(20)}},
		"voltage":  {Type: "float32", Register: payload.Register{Holding: ptr(0)}},
		"sleeping": {Type: "uint16", Register: payload.Register{Holding: ptr(150), Poll: time.Hour}},
	}}
	total := p.Commands["total"]
	total.Holding = ptr(120)
	p.Commands["total"] = total
	reset := p.Commands["reset"] // beyond the end
	p.Commands["beyond"] = reset
	return p
}

var peerReading = []protocol.Metric{
	{Name: "bcd", Value: protocol.Uint(1234)},
	{Name: "bits", Value: protocol.Uint(3)},
	{Name: "closed", Value: protocol.Bool(true)},
	{Name: "double", Value: protocol.Float(8)},
	{Name: "level", Value: protocol.Int(-5)},
	{Name: "off", Value: protocol.Bool(false)},
	{Name: "on", Value: protocol.Bool(true)},
	{Name: "serial", Value: protocol.String("abc")},
	{Name: "swapped", Value: protocol.Uint(0x12345678)},
	{Name: "total", Value: protocol.Uint(0x0001_0002_0003_0004)},
	{Name: "voltage", Value: protocol.Float(230.5)},
}

// meetPeer runs the driver of c against a peer.
func meetPeer(t *testing.T, c Config) {
	outside := &payload.Profile{Poll: 100 * time.Millisecond, Metrics: map[string]payload.Metric{"none": holding(5000, "uint16")}}
	list := append(devices(peerProfile(), 1), devices(outside, 2)...)
	d, e := newDriver(t, c, list), &recorder{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1) // Run's result, sent once
	go func() { ended <- d.Run(ctx, e) }()
	drivertest.Eventually(t, "readings come", func() bool { return len(e.of("unit01")) > 3 })
	for _, r := range e.of("unit01") {
		if !slices.Equal(r.Metrics, peerReading) && r.Metrics[0].Name != "sleeping" {
			t.Errorf("got  %v,\nwant %v", r.Metrics, peerReading)
		}
	}
	for _, test := range []struct {
		command drivers.Command
		want    protocol.Value
	}{
		{drivers.Command{Name: "setpoint", Value: "21.5"}, protocol.Float(21.5)},
		{drivers.Command{Name: "total", Value: "0.471"}, protocol.Float(0.471)},
		{drivers.Command{Name: "mode", Value: "auto"}, protocol.String("auto")},
		{drivers.Command{Name: "relay", Value: "on"}, protocol.Bool(true)},
		{drivers.Command{Name: "relay", Value: "off"}, protocol.Bool(false)},
	} {
		if got, err := d.Command(ctx, "unit01", test.command); err != nil || got.Value != test.want {
			t.Errorf("%v: got %+v, %v, want %v", test.command, got, err, test.want)
		}
	}
	if _, err := d.Command(ctx, "unit01", drivers.Command{Name: "beyond"}); !errors.Is(err, modbus.IllegalDataAddress) {
		t.Errorf("a write beyond the end: %v, want %v", err, modbus.IllegalDataAddress)
	}
	drivertest.Eventually(t, "exceptions come", func() bool { return e.rejections("exception_2") > 1 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if s := d.Stats(); s.Retries > 0 || len(e.rejected) != 1 {
		t.Errorf("%d requests were sent again; rejected %v, want exception 2 alone", s.Retries, e.rejected)
	}
}

// startPeer starts pymodbus, which ends with its stdin, and returns where it
// listens.
func startPeer(t *testing.T, mode, port string) string {
	t.Helper()
	// Debian's own python: another one in the path does not see its packages.
	peer := exec.Command("/usr/bin/python3", "testdata/pymodbus_peer.py", mode, port, peerTables)
	said := &strings.Builder{}
	peer.Stderr = said
	stdin, inErr := peer.StdinPipe()
	stdout, outErr := peer.StdoutPipe()
	if err := errors.Join(inErr, outErr, peer.Start()); err != nil {
		t.Fatalf("start pymodbus: %v; scripts/test installs it", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = peer.Wait() // how it ends does not matter
		if t.Failed() {
			t.Logf("pymodbus: %s", said)
		}
	})
	if err != nil {
		t.Fatalf("start pymodbus: %v; scripts/test installs it", err)
	}
	return strings.TrimSpace(line)
}

// socat connects two ports.
func socat(t *testing.T) (near, far string) {
	t.Helper()
	dir := t.TempDir()
	near, far = filepath.Join(dir, "near"), filepath.Join(dir, "far")
	cmd := exec.Command("socat", "pty,raw,echo=0,link="+near, "pty,raw,echo=0,link="+far)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start socat: %v; scripts/test installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	drivertest.Eventually(t, "socat makes its ports", func() bool {
		made, _ := filepath.Glob(filepath.Join(dir, "*")) // the pattern is all right
		return len(made) == 2
	})
	return near, far
}
