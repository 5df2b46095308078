package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/firmware-sim/wire/pty"
)

// patience ends a test that would fail anyway.
const patience = 30 * time.Second

func newPty(t *testing.T) *pty.Pty {
	t.Helper()
	p, err := pty.Open(filepath.Join(t.TempDir(), "port"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func openPort(t *testing.T, path, line string) *Port {
	t.Helper()
	l, err := ParseLine(line)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(path, l, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// settings returns the line settings as the kernel holds them.
func settings(t *testing.T, path string) *unix.Termios {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var termios *unix.Termios
	if controlled := raw.Control(func(fd uintptr) {
		termios, err = unix.IoctlGetTermios(int(fd), unix.TCGETS2)
	}); controlled != nil || err != nil {
		t.Fatal(controlled, err)
	}
	return termios
}

func TestOpenSetsTheLine(t *testing.T) {
	const format = unix.CSIZE | unix.PARENB | unix.PARODD | unix.CSTOPB
	for line, want := range map[string]struct{ baud, format uint32 }{
		"9600":       {9600, unix.CS8},
		"19200 7E1":  {19200, unix.CS7 | unix.PARENB},
		"1200 5O2":   {1200, unix.CS5 | unix.PARENB | unix.PARODD | unix.CSTOPB},
		"921600 6N1": {921600, unix.CS6},
		"250000 8E2": {250000, unix.CS8 | unix.PARENB | unix.CSTOPB},
		"128000 8N1": {128000, unix.CS8},
		"74880 8N1":  {74880, unix.CS8},
		"31250 7O1":  {31250, unix.CS7 | unix.PARENB | unix.PARODD},
	} {
		t.Run(line, func(t *testing.T) {
			device := newPty(t)
			openPort(t, device.Link(), line)
			got := settings(t, device.Port())
			if got.Ospeed != want.baud || got.Ispeed != want.baud {
				t.Errorf("rate is %d out, %d in, want %d", got.Ospeed, got.Ispeed, want.baud)
			}
			// The kernel holds a pty to eight bits without parity.
			if f := got.Cflag & format; f != want.format && f != want.format&^(unix.CSIZE|unix.PARENB)|unix.CS8 {
				t.Errorf("format is %#o, want %#o", f, want.format)
			}
			if got.Lflag != 0 || got.Oflag != 0 || got.Iflag&^unix.IGNPAR != 0 {
				t.Errorf("line is not raw: %+v", got)
			}
			if got.Cflag&unix.HUPCL != 0 {
				t.Error("a close would move DTR, which resets some boards")
			}
			if got.Cflag&unix.CLOCAL == 0 || got.Cc[unix.VMIN] != 1 || got.Cc[unix.VTIME] != 0 {
				t.Errorf("line waits for a modem or does not wait for a byte: %+v", got)
			}
		})
	}
}

func TestReadAndWrite(t *testing.T) {
	device := newPty(t)
	p := openPort(t, device.Link(), "9600 8N1")
	for _, d := range []interface{ SetReadDeadline(time.Time) error }{device, p} {
		if err := d.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 16)
	if _, err := device.Write([]byte("up")); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(b); string(b[:n]) != "up" || err != nil {
		t.Errorf("Read gave %q, %v", b[:n], err)
	}
	if n, err := p.Write([]byte("down")); n != 4 || err != nil {
		t.Errorf("Write gave %d, %v", n, err)
	}
	if n, err := device.Read(b); string(b[:n]) != "down" || err != nil {
		t.Errorf("the device read %q, %v", b[:n], err)
	}
}

func TestOpenKeepsWhatAPtyWrote(t *testing.T) {
	device := newPty(t)
	if _, err := device.Write([]byte("early")); err != nil {
		t.Fatal(err)
	}
	p := openPort(t, device.Link(), "9600 8N1")
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := p.Read(b); string(b[:n]) != "early" || err != nil {
		t.Errorf("Read gave %q, %v", b[:n], err)
	}
}

func TestDeadlines(t *testing.T) {
	p := openPort(t, newPty(t).Link(), "9600 8N1")
	soon := time.Now().Add(20 * time.Millisecond)
	if err := errors.Join(p.SetReadDeadline(soon), p.SetWriteDeadline(soon)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read gave %v", err)
	}
	if n, err := p.Write(make([]byte, 1<<20)); n == 1<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write to nobody gave %d, %v", n, err)
	}
}

func TestCloseEndsReadAndWrite(t *testing.T) {
	device := newPty(t)
	p := openPort(t, device.Link(), "9600 8N1")
	ended := make(chan error, 2) // the results of Read and Write, each sent once
	go func() {
		_, err := p.Read(make([]byte, 1))
		ended <- err
	}()
	go func() {
		_, err := p.Write(make([]byte, 1<<20))
		ended <- err
	}()
	if err := device.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := device.Read(make([]byte, 1)); err != nil { // Write is under way
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v, want %v", err, os.ErrClosed)
		}
	}
	if err := p.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the second Close returned %v", err)
	}
}

func TestGone(t *testing.T) {
	device := newPty(t)
	p := openPort(t, device.Link(), "9600 8N1")
	ended := make(chan error, 1) // Read's result, sent once
	go func() {
		_, err := p.Read(make([]byte, 1))
		ended <- err
	}()
	if err := device.Unplug(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrGone) {
		t.Errorf("a Read under way gave %v", err)
	}
	if n, err := p.Read(make([]byte, 1)); n != 0 || !errors.Is(err, ErrGone) {
		t.Errorf("Read gave %d, %v", n, err)
	}
	if _, err := p.Write([]byte("x")); !errors.Is(err, ErrGone) {
		t.Errorf("Write gave %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	line := Line{9600, 8, None, 1}
	for path, want := range map[string]struct {
		is   error
		text string
	}{
		missing: {fs.ErrNotExist, "there is no such port"},
		file:    {unix.ENOTTY, "it is not a serial port"},
		dir:     {unix.EISDIR, "is a directory"},
	} {
		_, err := Open(path, line, DefaultOptions())
		if !errors.Is(err, want.is) || !strings.Contains(fmt.Sprint(err), want.text) {
			t.Errorf("Open(%s) gave %v, want %q", path, err, want.text)
		}
		if n := strings.Count(fmt.Sprint(err), path); n != 1 {
			t.Errorf("error names the path %d times: %v", n, err)
		}
	}
}

func TestBusy(t *testing.T) {
	device := newPty(t)
	first := openPort(t, device.Link(), "19200 8N1")
	_, err := Open(device.Port(), Line{9600, 8, None, 1}, DefaultOptions())
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), fmt.Sprintf("this process (%d)", os.Getpid())) {
		t.Errorf("the second Open gave %v", err)
	}
	if got := settings(t, device.Port()).Ospeed; got != 19200 {
		t.Errorf("the second Open has set the rate to %d", got)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openPort(t, device.Link(), "9600")
}

func TestLockerReadsTheKernelsTable(t *testing.T) {
	const table = `1: POSIX  ADVISORY  WRITE 11 00:16:5 0 EOF
2: -> FLOCK  ADVISORY  WRITE 12 00:16:5 0 EOF
3: FLOCK  ADVISORY  WRITE 13 00:16:55 0 EOF
4: FLOCK  ADVISORY  WRITE 14 00:16:5 0 EOF
5: FLOCK  ADVISORY  WRITE -1 00:17:5 0 EOF
`
	for inode, want := range map[string]int{"00:16:5": 14, "00:16:55": 13, "00:17:5": 0, "00:18:5": 0} {
		if got := lockerIn(strings.NewReader(table), inode); got != want {
			t.Errorf("%s is locked by %d, want %d", inode, got, want)
		}
	}
}

func TestIdlePortsHoldNoThreads(t *testing.T) {
	const ports = 50
	before := threads(t)
	ended := make(chan error, ports) // the result of every Read, each sent once
	var open []*Port
	for range ports {
		p := openPort(t, newPty(t).Link(), "9600 8N1")
		open = append(open, p)
		go func() {
			_, err := p.Read(make([]byte, 1))
			ended <- err
		}()
	}
	for range 100 {
		runtime.Gosched() // let the reads begin
	}
	if now := threads(t); now-before > ports/2 {
		t.Errorf("%d ports being read take %d threads", ports, now-before)
	}
	for _, p := range open {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for range ports {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read gave %v", err)
		}
	}
}

// TestOpeningHoldsNoThreads has many ports opened at once, as at the start of a
// gateway.
func TestOpeningHoldsNoThreads(t *testing.T) {
	const ports = 50
	var links []string
	for range ports {
		links = append(links, newPty(t).Link())
	}
	before := threads(t)
	opened := make(chan *Port, ports) // what every Open gave, each sent once
	for _, link := range links {
		go func() {
			p, err := Open(link, Line{9600, 8, None, 1}, DefaultOptions())
			if err != nil {
				t.Error(err)
			}
			opened <- p
		}()
	}
	for range ports {
		if p := <-opened; p != nil {
			defer p.Close()
		}
	}
	if now := threads(t); now-before > 10 {
		t.Errorf("%d ports being opened took %d threads", ports, now-before)
	}
}

// TestOpenPassesThoseThatHang has two ports that hang while they are opened.
func TestOpenPassesThoseThatHang(t *testing.T) {
	for range cap(opening) {
		opening <- struct{}{}
		defer func() { <-opening }()
	}
	openPort(t, newPty(t).Link(), "9600 8N1")
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
