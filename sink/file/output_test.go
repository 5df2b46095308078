package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/sink"
)

// onPipe returns a sink whose standard output is a pipe, and its other end.
func onPipe(t testing.TB) (*Sink, *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	writer.Fd() // it blocks from now on, as standard output does
	r := newRig(t)
	r.cfg.Path = StandardOutput
	s := r.make(nil)
	s.output.open = func() (*os.File, error) { return writer, nil }
	t.Cleanup(func() {
		reader.Close()
		writer.Close()
	})
	return s, reader
}

// unread returns a sink whose standard output is full and never read.
func unread(t testing.TB) sink.Sink {
	s, _ := onPipe(t)
	f, err := s.output.open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	full := time.AfterFunc(200*time.Millisecond, cancel)
	defer full.Stop()
	o := &output{file: f}
	if err := o.write(ctx, bytes.Repeat([]byte("x"), 1<<20)); !errors.Is(err, context.Canceled) {
		t.Fatalf("a pipe that nobody reads took 1 MiB: %v", err)
	}
	return s
}

func TestStandardOutput(t *testing.T) {
	s, reader := onPipe(t)
	r := newRig(t)
	if err := s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := make(chan []byte, 1) // sent once, by the goroutine below
	go func() {
		text, _ := io.ReadAll(reader)
		read <- text
	}()
	r.write(s, r.batch(2000))
	r.write(s, r.batch(1))
	if s.Remember() != nil {
		t.Error("standard output has a place to remember")
	}
	if got := s.Traffic(); got.Requests != 2 || got.Sent < 2001*100 {
		t.Errorf("traffic %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	n := 0
	for line := range bytes.Lines(<-read) {
		if n++; number(line) != n {
			t.Fatalf("line %d is %q", n, line)
		}
	}
	if n != 2001 {
		t.Errorf("%d lines, want 2001", n)
	}
}

// A Write that ends in the middle of a line leaves whole lines behind, once the
// reader reads again.
func TestStandardOutputKeepsLinesWhole(t *testing.T) {
	s, reader := onPipe(t)
	r := newRig(t)
	batch := r.batch(3000)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Write(ctx, batch); !errors.Is(err, context.DeadlineExceeded) || sink.IsPermanent(err) {
		t.Fatalf("Write = %v, want the end of its time", err)
	}
	read := make(chan []byte, 1) // sent once, by the goroutine below
	go func() {
		text, _ := io.ReadAll(reader)
		read <- text
	}()
	r.write(s, batch)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	seen := map[int]int{}
	for line := range bytes.Lines(<-read) {
		n := number(line)
		if n == 0 {
			t.Fatalf("broken line %q", line)
		}
		seen[n]++
	}
	if len(seen) != 3000 || seen[1] != 2 || seen[3000] != 1 {
		t.Errorf("%d different lines, the first %d times, the last %d times", len(seen), seen[1], seen[3000])
	}
}

func TestStandardOutputWithoutReader(t *testing.T) {
	s, reader := onPipe(t)
	r := newRig(t)
	reader.Close()
	for range 2 {
		err := s.Write(t.Context(), r.batch(3))
		if !errors.Is(err, syscall.EPIPE) || sink.IsPermanent(err) || !strings.Contains(err.Error(), "nobody reads it any more") {
			t.Errorf("Write = %v, want an error that the operator can mend", err)
		}
	}
}

// The real standard output is written to through another descriptor.
func TestStandardOutputIsDuplicated(t *testing.T) {
	f, err := openStandardOutput()
	if err != nil {
		t.Fatal(err)
	}
	if f.Fd() == os.Stdout.Fd() {
		t.Error("descriptor 1 itself would end the process when its reader goes")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
