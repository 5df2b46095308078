package port

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var quietLog = slog.New(slog.DiscardHandler)

// wire is a Conn without a port.
type wire struct{ net.Conn }

func (wire) Drain() error { return nil }
func (wire) Flush() error { return nil }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	for range 2 { // the second goes on behind the first
		trace, err := OpenTrace(path, quietLog)
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		c := trace.Wrap(wire{near}, "/dev/x 9600 8N1")
		go func() {
			b := make([]byte, 8)
			n, _ := far.Read(b)
			_, _ = far.Write(bytes.ToUpper(b[:n]))
			_ = far.Close()
		}()
		b := make([]byte, 8)
		if _, err := c.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(b); string(b[:n]) != "PING" || err != nil {
			t.Errorf("Read gave %q, %v", b[:n], err)
		}
		if _, err := c.Read(b); err == nil {
			t.Error("Read of a line that hung up gave no error")
		}
		if err := trace.Close(); err != nil {
			t.Fatal(err)
		}
		if err := trace.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("the second Close gave %v", err)
		}
		trace.Record(Sent, b) // too late, and harmless
	}
	want := regexp.MustCompile(`^(\S+Z # open /dev/x 9600 8N1
\S+Z > 0000  70 69 6e 67 .* \|ping\|
\S+Z < 0000  50 49 4e 47 .* \|PING\|
\S+Z # read: EOF
){2}$`)
	if got := read(t, path); !want.MatchString(got) {
		t.Errorf("the trace is\n%s", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the trace is %v, %v", info.Mode(), err)
	}
}

func TestTraceIsMovedAsideOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	const limit = 1000
	for part := range 40 {
		trace, err := openTrace(path, limit, quietLog)
		if err != nil {
			t.Fatal(err)
		}
		trace.Note(strings.Repeat(string(rune('a'+part%26)), 100))
		if err := trace.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 2 {
		t.Errorf("there are %v, %v", files, err)
	}
	if now, before := len(read(t, path)), len(read(t, path+".1")); now > limit || before < limit || before > limit+200 {
		t.Errorf("%d bytes, and %d before", now, before)
	}
}

func TestTraceLeavesOutWhatTheDiskIsTooSlowFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	trace, err := OpenTrace(path, quietLog)
	if err != nil {
		t.Fatal(err)
	}
	trace.mu.Lock()
	trace.behind = append(trace.behind, bytes.Repeat([]byte("\n"), mostBehind+1)...) // nobody has woken the writer
	trace.mu.Unlock()
	for range 3 {
		trace.Note("left out")
	}
	trace.mu.Lock()
	trace.behind = trace.behind[:0]
	trace.mu.Unlock()
	trace.Note("after")
	if err := trace.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); !regexp.MustCompile(`^\S+Z # 3 records are left out: the disk did not keep up\n\S+Z # after\n$`).MatchString(got) {
		t.Errorf("the trace is %q", got)
	}
}

func TestTraceThatCannotBeWritten(t *testing.T) {
	if _, err := OpenTrace(filepath.Join(t.TempDir(), "none", "trace"), quietLog); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenTrace gave %v", err)
	}
	path := filepath.Join(t.TempDir(), "trace")
	var log bytes.Buffer
	trace, err := openTrace(path, 1, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // so that it cannot be moved
		t.Fatal(err)
	}
	trace.Note("first")
	trace.Note("second")
	if err := trace.Close(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Close gave %v", err)
	}
	if n := strings.Count(log.String(), "trace has ended"); n != 1 {
		t.Errorf("it was logged %d times: %s", n, log.String())
	}
}

func TestNoTrace(t *testing.T) {
	var trace *Trace
	near, far := net.Pipe()
	defer far.Close()
	c := Conn(wire{near})
	if got := trace.Wrap(c, "x"); got != c {
		t.Errorf("it is wrapped as %v", got)
	}
	trace.Note("x")
	if err := errors.Join(trace.Close(), c.SetReadDeadline(time.Time{}), c.Close()); err != nil {
		t.Error(err)
	}
}
