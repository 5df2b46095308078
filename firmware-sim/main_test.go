package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"sluice/cmd/gateway/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// guard lets in one user with one password, or everybody when there is none.
type guard struct {
	mqtt.HookBase
	username, password string
}

func (g *guard) Provides(b byte) bool {
	return b == mqtt.OnConnectAuthenticate || b == mqtt.OnACLCheck
}

func (g *guard) OnConnectAuthenticate(_ *mqtt.Client, p packets.Packet) bool {
	return string(p.Connect.Username) == g.username && string(p.Connect.Password) == g.password
}

func (g *guard) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// broker returns the address of a broker that lets in whom g lets in.
func broker(t *testing.T, g *guard) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(s.AddHook(g, nil), s.AddListener(listeners.NewNet("test", socket)), s.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = standin.Shut(s) })
	return "tcp://" + socket.Addr().String()
}

// run runs the program as from a command line.
func run(t *testing.T, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	c := command(&o, &e)
	c.SetArgs(args)
	err = c.ExecuteContext(t.Context())
	return o.String(), e.String(), err
}

const example = "../config.yaml"

func TestTheExampleIsPlayed(t *testing.T) {
	out, errs, err := run(t, "--config", example, "--broker", broker(t, &guard{}), "--devices", "60", "--rate", "500", "--for", "1s", "--json")
	if err != nil {
		t.Fatal(err, errs)
	}
	var port struct{ Port, Driver string }
	var sum struct {
		Seed, Devices, Sent, Confirmed int
		Duration                       float64 `json:"duration_s"`
	}
	lines := json.NewDecoder(strings.NewReader(out))
	if err := errors.Join(lines.Decode(&port), lines.Decode(&sum)); err != nil {
		t.Fatal(err, out)
	}
	if port.Driver != "scale" || filepath.Base(port.Port) != "scale" {
		t.Errorf("port %+v", port)
	}
	if sum.Seed != 1 || sum.Devices != 121 || sum.Sent < 50 || sum.Confirmed != sum.Sent || sum.Duration < 1 {
		t.Errorf("summary %+v", sum)
	}
	if _, err := os.Stat(filepath.Dir(port.Port)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder of the ports is still there")
	}
}

func TestTextForPeople(t *testing.T) {
	ports := t.TempDir()
	out, _, err := run(t, "--config", example, "--broker", broker(t, &guard{}), "--ports", ports, "--for", "100ms", "--seed", "9")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "port of scale: "+ports+"/scale\n101 devices sent ") || !strings.HasSuffix(out, "(seed 9)\n") {
		t.Errorf("got %q", out)
	}
}

func TestThePasswordComesFromAFile(t *testing.T) {
	url := broker(t, &guard{username: "sim", password: "s3cret"})
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t, "--config", example, "--broker", url, "--username", "sim", "--password-file", file, "--for", "50ms"); err != nil {
		t.Error(err)
	}
	_, errs, err := run(t, "--config", example, "--broker", url, "--username", "sim", "--for", "50ms")
	if failure := (*failed)(nil); !errors.As(err, &failure) {
		t.Errorf("a wrong password gives %v", err)
	}
	if strings.Contains(errs, "s3cret") {
		t.Error("the password is in the log")
	}
}

func TestWrongCommandLines(t *testing.T) {
	for want, args := range map[string][]string{
		"unknown flag":                  {"--bogus"},
		"unknown command":               {"bogus"},
		"--devices is 0":                {"--devices", "0"},
		"--rate is -1":                  {"--rate", "-1"},
		"--line-rate is 0":              {"--line-rate", "0"},
		"--for is -1s":                  {"--for", "-1s"},
		"--password-file wants":         {"--password-file", "x"},
		"read configuration":            {"--config", "no-such-file.yaml"},
		"read password: open /nowhere/": {"--config", example, "--username", "a", "--password-file", "/nowhere/x"},
	} {
		_, _, err := run(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
		if failure := (*failed)(nil); errors.As(err, &failure) {
			t.Errorf("%v: is not a mistake of the command line", args)
		}
	}
}

func TestABrokerThatIsNotThereIsAFailure(t *testing.T) {
	_, _, err := run(t, "--config", example, "--broker", "tcp://127.0.0.1:1")
	if failure := (*failed)(nil); !errors.As(err, &failure) || !strings.Contains(err.Error(), "connect devices of driver floor") {
		t.Errorf("got %v", err)
	}
}

func TestItEndsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	c := command(&out, &errs)
	c.SetArgs([]string{"--config", example, "--broker", broker(t, &guard{})})
	ended := make(chan error, 1) // the program's result
	go func() { ended <- c.ExecuteContext(ctx) }()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "101 devices sent") {
		t.Errorf("got %q", out.String())
	}
}
