package pty

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience ends a test that would fail anyway.
const patience = 30 * time.Second

func open(t *testing.T) *Pty {
	t.Helper()
	p, err := Open(filepath.Join(t.TempDir(), "port"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func plug(t *testing.T, p *Pty) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Link(), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := f.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBytesPassUnchanged(t *testing.T) {
	p := open(t)
	port := plug(t, p)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, way := range []struct {
		from io.Writer
		to   io.Reader
	}{{p, port}, {port, p}} {
		if _, err := way.from.Write(all); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(all))
		if _, err := io.ReadFull(way.to, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, all) {
			t.Errorf("got %q", got)
		}
	}
}

func TestReadWaitsForSomebody(t *testing.T) {
	p := open(t)
	if err := p.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with nobody there Read returned %v", err)
	}
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	read := make(chan byte, 1) // one byte, sent once
	go func() {
		b := make([]byte, 1)
		_, _ = p.Read(b)
		read <- b[0]
	}()
	if _, err := plug(t, p).Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != 'x' {
		t.Errorf("Read gave %q", got)
	}
}

// TestReadHearsAll has somebody come, write one byte and go, again and again.
func TestReadHearsAll(t *testing.T) {
	p := open(t)
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	for want := range byte(200) {
		read := make(chan error, 1) // Read's error, sent once
		go func() {
			_, err := p.Read(b)
			read <- err
		}()
		port := plug(t, p)
		if _, err := port.Write([]byte{want}); err != nil {
			t.Fatal(err)
		}
		if want%2 == 0 { // what was written stays, whether he has gone or not
			_ = port.Close()
		}
		if err := <-read; err != nil || b[0] != want {
			t.Fatalf("Read gave %d, %v, want %d", b[0], err, want)
		}
		_ = port.Close()
	}
}

func TestOpened(t *testing.T) {
	p := open(t)
	for range 3 {
		if p.Opened() {
			t.Error("nobody is there, but Opened says so")
		}
		port := plug(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := p.WaitOpened(ctx); err != nil || !p.Opened() {
			t.Errorf("somebody is there: Opened %v, WaitOpened %v", p.Opened(), err)
		}
		cancel()
		if err := port.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.WaitOpened(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitOpened returned %v after its context had ended", err)
	}
	_ = p.Close()
	if err := p.WaitOpened(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("WaitOpened returned %v after Close", err)
	}
}

func TestUnplugHangsUp(t *testing.T) {
	p := open(t)
	port := plug(t, p)
	if err := p.Unplug(); err != nil {
		t.Fatal(err)
	}
	if n, err := port.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the hang-up Read gave %d, %v", n, err)
	}
	if _, err := os.Lstat(p.Link()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
	again, err := Open(p.Link())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	_ = p.Close()
	if to, err := os.Readlink(again.Link()); err != nil || to != again.Port() {
		t.Errorf("a late Close took the new port's link: %q, %v", to, err)
	}
}

func TestCloseEndsRead(t *testing.T) {
	for _, opened := range []bool{false, true} {
		p := open(t)
		if opened {
			plug(t, p)
		}
		read := make(chan error, 1) // Read's error, sent once
		go func() {
			_, err := p.Read(make([]byte, 1))
			read <- err
		}()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-read; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read returned %v, want %v", err, os.ErrClosed)
		}
	}
}

func TestWriteWaitsForReader(t *testing.T) {
	p := open(t)
	big := bytes.Repeat([]byte("x"), 1<<20)
	if err := p.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := p.Write(big)
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n > 1<<16 {
		t.Fatalf("with nobody there Write gave %d, %v", n, err)
	}
	port := plug(t, p)
	read := make(chan int64, 1) // bytes read, sent once
	go func() {
		n, _ := io.Copy(io.Discard, port)
		read <- n
	}()
	if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if m, err := p.Write(big); m != len(big) || err != nil {
		t.Errorf("with somebody there Write gave %d, %v", m, err)
	}
	_ = p.Unplug()
	if got := <-read; got > int64(n+len(big)) {
		t.Errorf("%d bytes came of %d", got, n+len(big))
	}
}

func TestOpenKeepsWhatIsNoLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "port")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Open(path); err == nil {
		_ = p.Close()
		t.Error("Open replaced a file that is no link")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
