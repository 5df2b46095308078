package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/drivers/serial/port"
	"sluice/firmware-sim/wire/pty"
)

// plugPty is the command "pty LINK TEXT": a device is plugged in that says TEXT,
// with the escapes of a Go string, as soon as somebody has opened its port.
func plugPty(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pty LINK TEXT")
	}
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	device, err := pty.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	spoke := make(chan struct{}) // closed when it has, or will not
	go func() {
		defer close(spoke)
		if device.WaitOpened(ctx) == nil {
			_, _ = device.Write([]byte(text))
		}
	}()
	ts.Defer(func() {
		cancel()
		<-spoke
		_ = device.Close()
	})
}

// stable makes a machine on which only stable names lead to terminals.
func stable(t *testing.T, name string) (machine, *pty.Pty) {
	t.Helper()
	link := filepath.Join(t.TempDir(), "dev/serial/by-id", name)
	if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	device, err := pty.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = device.Close() })
	return machine{strings.TrimSuffix(link, "/dev/serial/by-id/"+name)}, device
}

func TestPortsNamesTheOwner(t *testing.T) {
	m, device := stable(t, "usb-scale")
	found := m.ports()
	if len(found) != 1 {
		t.Fatalf("found %d ports, want 1", len(found))
	}
	if p := found[0]; p.Name != "/dev/serial/by-id/usb-scale" || p.Node != device.Port() || p.state() != "free" || !p.Open || p.Group == "" {
		t.Errorf("found %+v", p)
	}
	line, err := port.ParseLine("9600")
	if err != nil {
		t.Fatal(err)
	}
	open, err := port.Open(device.Link(), line, port.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if got, want := m.ports()[0].state(), fmt.Sprintf("in use by this process (%d)", os.Getpid()); got != want {
		t.Errorf("the port is %q, want %q", got, want)
	}
}

func TestPortsThatMayNotBeOpened(t *testing.T) {
	p := &foundPort{Node: "/dev/ttyS0", Group: "dialout", Mode: "0660"}
	if got := p.state(); got != "closed to this user" {
		t.Errorf("the port is %q", got)
	}
}

func TestPortsAreInOrder(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"ttyUSB10", "ttyUSB2", "ttyACM0"} {
		device := filepath.Join(root, "sys/devices/usb1", name)
		if err := os.MkdirAll(filepath.Join(device, "tty", name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(root, "sys/class/tty"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../devices/usb1/"+name+"/tty/"+name, filepath.Join(root, "sys/class/tty", name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../../../"+name, filepath.Join(device, "tty", name, "device")); err != nil {
			t.Fatal(err)
		}
	}
	var nodes []string
	for _, p := range (machine{root}).ports() {
		nodes = append(nodes, p.Node)
		if !p.Missing {
			t.Errorf("%s has a node", p.Node)
		}
	}
	if got := strings.Join(nodes, " "); got != "/dev/ttyACM0 /dev/ttyUSB2 /dev/ttyUSB10" {
		t.Errorf("found %s", got)
	}
}
