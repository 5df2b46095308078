package port

import (
	"context"
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
			w.wait(t.Context()) // that was in a folder watched before
			return os.Rename(other, path)
		}},
		{"folders gone", func() error { return os.RemoveAll(filepath.Join(dir, "serial")) }},
		{"first folder made again", func() error { return os.Mkdir(filepath.Join(dir, "serial"), 0o700) }},
	} {
		w.aim()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w.wait(t.Context())
		if took := time.Since(began); took >= retry {
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
		w.wait(t.Context())
		if took := time.Since(began); took < retry/2 || took > 10*retry {
			t.Errorf("%s: woke after %v, want about %v", name, took, retry)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		began = time.Now()
		w.wait(ended)
		if took := time.Since(began); took >= retry {
			t.Errorf("%s: waited %v although the context had ended", name, took)
		}
	}
}
