package port

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWatchWakes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "serial", "by-id", "port")
	w := newWatch(path)
	defer w.close()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"first folder made", func() error { return os.Mkdir(filepath.Join(dir, "serial"), 0o700) }},
		{"second folder made", func() error { return os.Mkdir(filepath.Dir(path), 0o700) }},
		{"port made", func() error { return os.WriteFile(path, nil, 0) }},
		{"permission given", func() error { return os.Chmod(path, 0o600) }},
		{"another moved over it", func() error {
			other := filepath.Join(dir, "other")
			if err := os.WriteFile(other, nil, 0); err != nil {
				return err
			}
			w.wait(t.Context(), retry) // that was in a folder watched before
			return os.Rename(other, path)
		}},
		{"folders gone", func() error { return os.RemoveAll(filepath.Join(dir, "serial")) }},
		{"first folder made again", func() error { return os.Mkdir(filepath.Join(dir, "serial"), 0o700) }},
	} {
		w.aim()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if !w.wait(t.Context(), 10*time.Second) {
			t.Errorf("%s: nothing woke", step.name)
		}
	}
}

func TestWaitLooksAndEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "port")
	watching := newWatch(path)
	defer watching.close()
	for name, w := range map[string]*watch{"inotify": watching, "looking alone": {path: path}} {
		w.aim()
		began := time.Now()
		w.wait(t.Context(), retry)
		if took := time.Since(began); took < retry/2 || took > 10*retry {
			t.Errorf("%s: woke after %v, want about %v", name, took, retry)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		began = time.Now()
		w.wait(ended, retry)
		if took := time.Since(began); took >= retry {
			t.Errorf("%s: waited %v although the context had ended", name, took)
		}
	}
}

// TestWatchFollowsLink has a link that stays while the device behind it is gone.
func TestWatchFollowsLink(t *testing.T) {
	dir := t.TempDir()
	link, device := filepath.Join(dir, "links", "meter"), filepath.Join(dir, "ttyUSB0")
	if err := os.Mkdir(filepath.Dir(link), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{device, filepath.Join("..", "ttyUSB0")} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		w := newWatch(link)
		w.aim()
		if err := os.WriteFile(device, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if !w.wait(t.Context(), 10*time.Second) {
			t.Errorf("link to %s: nothing woke", to)
		}
		w.close()
		if err := errors.Join(os.Remove(device), os.Remove(link)); err != nil {
			t.Fatal(err)
		}
	}
}
