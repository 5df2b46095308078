package port

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"sluice/firmware-sim/wire/pty"
)

// openEcho opens a port on a line with echo.
func openEcho(t *testing.T, device *pty.Pty) *Port {
	t.Helper()
	o := DefaultOptions()
	o.Echo = true
	p, err := Open(device.Link(), Line{9600, 8, None, 1}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if err := errors.Join(p.SetReadDeadline(time.Now().Add(patience)), device.SetDeadline(time.Now().Add(patience))); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEchoOnAPort(t *testing.T) {
	device := newPty(t)
	p := openEcho(t, device)
	for _, answer := range []string{"first", "second"} {
		if n, err := p.Write([]byte("request")); n != 7 || err != nil {
			t.Fatalf("Write gave %d, %v", n, err)
		}
		heard := make([]byte, 7)
		if _, err := io.ReadFull(device, heard); err != nil {
			t.Fatal(err)
		}
		// The echo comes in pieces, the last one with the answer.
		for _, piece := range []string{string(heard[:3]), string(heard[3:]) + answer} {
			if _, err := device.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, len(answer))
		if _, err := io.ReadFull(p, got); string(got) != answer || err != nil {
			t.Errorf("Read gave %q, %v, want %q", got, err, answer)
		}
	}
}

func TestNoEchoOnAPort(t *testing.T) {
	device := newPty(t)
	p := openEcho(t, device)
	if _, err := p.Write([]byte("request")); err != nil {
		t.Fatal(err)
	}
	if _, err := device.Write([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := p.Read(b); n != 0 || !errors.Is(err, ErrEcho) {
		t.Errorf("Read gave %q, %v", b[:n], err)
	}
	if _, err := device.Write([]byte("later")); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(b); string(b[:n]) != "later" || err != nil {
		t.Errorf("then Read gave %q, %v", b[:n], err)
	}
}

func TestEchoOfAWriteThatWasCutShort(t *testing.T) {
	device := newPty(t)
	p := openEcho(t, device)
	if err := p.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := p.Write(make([]byte, mostEcho))
	if n == mostEcho || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("Write to nobody gave %d, %v", n, err)
	}
	if owed := len(p.echo.owed); owed != n {
		t.Errorf("%d bytes are owed, %d were sent", owed, n)
	}
}

func TestFlush(t *testing.T) {
	device := newPty(t)
	p := openEcho(t, device)
	if _, err := p.Write([]byte("never answered")); err != nil {
		t.Fatal(err)
	}
	if _, err := device.Write([]byte("stale")); err != nil {
		t.Fatal(err)
	}
	if n, err := p.file.Read(make([]byte, 1)); n != 1 || err != nil { // it has come
		t.Fatal(n, err)
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := device.Write([]byte("fresh")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 16)
	if n, err := p.Read(b); string(b[:n]) != "fresh" || err != nil {
		t.Errorf("Read gave %q, %v", b[:n], err)
	}
}

func TestDrainOfAPty(t *testing.T) {
	p := openPort(t, newPty(t).Link(), "50 8N1")
	if _, err := p.Write(make([]byte, 1000)); err != nil { // minutes on a wire
		t.Fatal(err)
	}
	if err := p.Drain(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Drain(), p.Flush()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
