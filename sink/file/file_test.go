package file

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

// awaitFiles waits until the folder holds what the condition wants.
func (r *rig) awaitFiles(what string, good func(names []string) bool) {
	r.t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; {
		names := r.files()
		if good(names) {
			return
		}
		if time.Now().After(limit) {
			r.t.Fatalf("want %s, have %q", what, names)
		}
	}
}

func packed(names []string) (n int) {
	for _, name := range names {
		if strings.HasSuffix(name, ".gz") {
			n++
		}
	}
	return n
}

func TestRotationBySize(t *testing.T) {
	r := newRig(t)
	r.cfg.MaxSize, r.cfg.Keep = 64<<10, Keep{}
	s := r.open(nil)
	for range 40 {
		r.write(s, r.batch(50))
	}
	r.wantStored(2000)
	all, err := s.series.list(s.disk)
	if err != nil || len(all) < 4 {
		t.Fatalf("%d rotated files (%v)", len(all), err)
	}
	for _, f := range all {
		if f.size > 64<<10 || f.size < 50<<10 {
			t.Errorf("%s has %d bytes", f.path, f.size)
		}
	}
	if got := s.Traffic(); got.Requests != 40 || got.Sent < 4*(50<<10) || got.Received != 0 {
		t.Errorf("traffic %+v", got)
	}
}

func TestRotationByAge(t *testing.T) {
	r := newRig(t)
	r.cfg.MaxAge = time.Hour
	synctest.Test(t, func(*testing.T) {
		s := r.make(nil)
		r.write(s, r.batch(5))
		time.Sleep(50 * time.Minute)
		r.write(s, r.batch(5))
		memory := slices.Clone(s.Remember())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		s = r.make(memory) // a restart does not make the file younger
		time.Sleep(20 * time.Minute)
		if len(r.files()) != 1 {
			t.Errorf("rotated before there is more to write: %q", r.files())
		}
		r.write(s, r.batch(5))
		if names := r.files(); len(names) != 2 || names[0] != "readings-20000101T011000.000Z.ndjson" {
			t.Errorf("files %q, want one that is rotated at 01:10", names)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r.wantStored(15)
}

func TestRotatedFilesArePackedAndKept(t *testing.T) {
	for _, keep := range []Keep{{Files: 3}, {Bytes: 7 << 10}} {
		r := newRig(t)
		r.cfg.MaxSize, r.cfg.Keep, r.cfg.Gzip = 64<<10, keep, true
		s := r.open(nil)
		for range 200 {
			r.write(s, r.batch(50))
		}
		r.awaitFiles("three packed files and the present one", func(names []string) bool {
			return packed(names) == 3 && len(names) == 4 || keep.Files == 0 && packed(names) == len(names)-1 && len(names) < 10
		})
		numbers := r.stored()
		for i, n := range numbers {
			if i > 0 && n != numbers[i-1]+1 {
				t.Fatalf("%d stands behind %d", n, numbers[i-1])
			}
		}
		if last := numbers[len(numbers)-1]; last != 10_000 || len(numbers) == 10_000 {
			t.Errorf("%d numbers up to %d", len(numbers), last)
		}
		r.wantLog("deleted the oldest rotated files")
	}
}

func TestLineProtocol(t *testing.T) {
	r := newRig(t)
	r.cfg.Path = filepath.Join(t.TempDir(), "{gateway}.lp")
	r.cfg.Format, r.cfg.Line.Precision, r.cfg.Line.Measurement = "line", "ms", "m_{profile}"
	s := r.open(nil)
	batch := r.batch(4)
	batch[1].Metrics = append(batch[1].Metrics, protocol.Metric{Name: "t", Value: protocol.Float(math.NaN())})
	batch[2].Metrics = nil
	err := s.Write(t.Context(), batch)
	sinktest.WantRejected(t, err, 1, 2)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(r.cfg.Path), "plant-7.lp"))
	want := ""
	for _, n := range []int{1, 2, 4} {
		want += fmt.Sprintf("m_climate,device=s1,driver=floor,gateway=plant-7 n=%di 1763805600000\n", n)
	}
	if err != nil || string(text) != want {
		t.Errorf("file %q (%v), want %q", text, err, want)
	}
	sinktest.WantRejected(t, s.Write(t.Context(), batch[2:3]), 0)
}

// What stands at the path is a mistake of the operator, and is left alone.
func TestPathThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	make := func(name string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	for path, want := range map[string]string{
		make("folder", os.Mkdir(filepath.Join(dir, "folder"), 0o700)):                 "it is a folder",
		make("pipe", syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600)):               "it is a named pipe",
		make("link", os.Symlink("/dev/null", filepath.Join(dir, "link"))):             "it is a symbolic link",
		make("file", os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)) + "/x/y.z": "not a directory",
		"/dev/null": "it is a device",
	} {
		r := newRig(t)
		r.cfg.Path = path
		s := r.open(nil)
		for _, err := range []error{s.Connect(t.Context()), s.Write(t.Context(), r.batch(1))} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || sink.IsPermanent(err) {
				t.Errorf("%s: %v, want %q", path, err, want)
			}
		}
	}
}

func TestTwoSinksOnOneFile(t *testing.T) {
	r := newRig(t)
	first, second := r.open(nil), r.open(nil)
	r.write(first, r.batch(3))
	if err := second.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "another process or sink writes to it") {
		t.Errorf("Connect = %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	r.write(second, r.batch(3))
	r.wantStored(6)
}

func TestCancelledConnect(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.open(nil).Connect(ctx); err == nil {
		t.Error("Connect = nil")
	}
}

func TestStampsKeepTheOrderOfFiles(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		last string
		now  time.Time
		want string
	}{
		{"", now, "20261122T100000.000Z"},
		{"20261122T095959.999Z", now, "20261122T100000.000Z"},
		{"20261122T100000.000Z", now, "20261122T100000.001Z"},
		{"20261122T100000.000Z", time.Unix(0, 0), "20261122T100000.001Z"},
		{"20261231T235959.999Z", now, "20270101T000000.000Z"},
	} {
		if got := nextStamp(tt.last, tt.now); got != tt.want {
			t.Errorf("after %q at %v: %q, want %q", tt.last, tt.now, got, tt.want)
		}
	}
}

func TestNamesOfRotatedFiles(t *testing.T) {
	const stamp = "20261122T100000.123Z"
	for path, want := range map[string]string{
		"/a/readings.ndjson": "/a/readings-" + stamp + ".ndjson",
		"/a/x.tar.lp":        "/a/x.tar-" + stamp + ".lp",
		"/a/noext":           "/a/noext-" + stamp,
		"/a/.hidden":         "/a/.hidden-" + stamp,
	} {
		s := newSeries(path)
		if got := s.name(stamp); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		for ending, packed := range map[string]bool{"": false, ".gz": true} {
			if got, isPacked, ok := s.stampOf(filepath.Base(want) + ending); got != stamp || isPacked != packed || !ok {
				t.Errorf("%s%s: %q, %v, %v", want, ending, got, isPacked, ok)
			}
		}
	}
	s := newSeries("/a/readings.ndjson")
	for _, name := range []string{
		"readings.ndjson", "readings-.ndjson", "readings-2026.ndjson", "readings-20261122T100000.000Z.txt", "readings-20261122T100000.000Z.ndjson.bak",
		"readings-20261122T100000.000Z.ndjson.gz.part", "x-20261122T100000.000Z.ndjson", "readings-20261399T100000.000Z.ndjson", "readings-20261122T100000,000Z.ndjson", "readings-20261122T100000.0001Z.ndjson",
	} {
		if _, _, ok := s.stampOf(name); ok {
			t.Errorf("%s passes for a rotated file", name)
		}
	}
}
