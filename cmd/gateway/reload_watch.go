package main

import (
	"context"
	"os"
	"slices"
	"time"
)

// watchEvery is how often the files of a configuration are looked at, if that is
// wanted.
const watchEvery = 2 * time.Second

// run takes the configuration over whenever hangUps says so, or its files have
// changed if it is to look at them, until ctx ends.
func (r *reloader) run(ctx context.Context, hangUps <-chan os.Signal) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	w := watch{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangUps:
		case <-tick.C:
			if !w.changed(r.watched()) {
				continue
			}
		}
		_, _ = r.reload() // what came of it is in the log
	}
}

// watched returns the files that are to be looked at, and their stamps when they
// were read.
func (r *reloader) watched() (files []string, read []stamp) {
	r.turn.Lock()
	defer r.turn.Unlock()
	if !r.file.Reload.Watch {
		return nil, nil
	}
	return r.file.Files, r.read
}

// stamp is what shows that a file has changed; zero for one that is not there.
type stamp struct {
	at   time.Time
	size int64
}

func stampsOf(files []string) []stamp {
	stamps := make([]stamp, len(files))
	for i, path := range files {
		if info, err := os.Stat(path); err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}

// watch notices when files have changed. It belongs to one goroutine.
type watch struct{ last []stamp } // when they were looked at last

// changed reports whether the files have changed since they were read, and were the
// same for two looks: an editor may write one in pieces, or several.
func (w *watch) changed(files []string, read []stamp) bool {
	now := stampsOf(files)
	settled := slices.Equal(w.last, now)
	w.last = now
	return settled && !slices.Equal(read, now)
}
