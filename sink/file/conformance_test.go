package file

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

// The far end is a folder that goes, with a file in its place, and returns; and
// standard output, when nobody reads it.
func TestConformance(t *testing.T) {
	r := newRig(t)
	r.cfg.MaxSize = 64 << 10 // some rotations
	folder := filepath.Dir(r.cfg.Path)
	sinktest.Run(t, sinktest.Far{
		Addr: r.cfg.Path, Silent: StandardOutput,
		New: func(t testing.TB, addr string) sink.Sink {
			if addr == StandardOutput {
				return unread(t)
			}
			return r.make(nil)
		},
		Stop: func(t testing.TB) {
			if err := os.Rename(folder, folder+".away"); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if err := os.WriteFile(folder, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		Start: func(t testing.TB) {
			if err := os.Remove(folder); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(folder+".away", folder); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		},
		Stored: r.points,
	})
}

// points returns what the file and the rotated ones hold.
func (r *rig) points(t testing.TB) []sinktest.Point {
	all, err := newSeries(r.cfg.Path).list(osDisk{})
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{}
	for _, f := range all {
		paths = append(paths, f.path)
	}
	var points []sinktest.Point
	for _, path := range append(paths, r.cfg.Path) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var said struct {
				Device  string
				Time    time.Time
				Metrics struct{ N int }
			}
			if err := json.Unmarshal([]byte(line), &said); err != nil {
				t.Fatalf("%s: %q: %v", path, line, err)
			}
			points = append(points, sinktest.Point{Device: said.Device, Time: protocol.At(said.Time), N: said.Metrics.N})
		}
	}
	return points
}
