package file

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"

	"sluice/sink"
)

// attic looks after the rotated files: it packs them and lets the oldest go. What
// there is to do shows in the folder, so nothing is lost with the process. Its
// goroutine runs from the first poke to stop, which the sink calls before it
// touches rotated files itself, and with Close.
type attic struct {
	series series
	disk   disk
	keep   Keep
	pack   bool
	log    *slog.Logger

	wake    chan struct{} // sent by poke, never closed; one that waits stands for all
	end     context.CancelFunc
	running sync.WaitGroup

	deleted uint64 // files, since the start; the goroutine's own
	failing bool   // the last attempt failed; likewise
}

func newAttic(s *Sink) *attic {
	return &attic{
		series: s.series, disk: s.disk, keep: s.cfg.Keep, pack: s.cfg.Gzip, log: s.log,
		wake: make(chan struct{}, 1),
	}
}

// poke says that there may be something to do, and returns at once.
func (a *attic) poke() {
	if a.end == nil {
		var ctx context.Context
		ctx, a.end = context.WithCancel(context.Background())
		a.running.Go(func() { a.run(ctx) })
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// stop returns when nothing touches the rotated files any more. What is half done
// is done anew after the next poke.
func (a *attic) stop() {
	if a.end == nil {
		return
	}
	a.end()
	a.running.Wait()
	a.end = nil
}

func (a *attic) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		err := a.tidy(ctx)
		if err != nil && ctx.Err() == nil && !a.failing {
			a.log.Warn("cannot look after the rotated files, trying again with the next one", "path", a.series.path, "err", err)
		}
		a.failing = err != nil
	}
}

// tidy packs what is to be packed and deletes what is not to be kept.
func (a *attic) tidy(ctx context.Context) error {
	if err := a.sweep(); err != nil {
		return err
	}
	all, err := a.series.list(a.disk)
	if err != nil {
		return err
	}
	var errs []error
	for i, r := range all {
		switch {
		case r.packed || !a.pack:
		case i > 0 && all[i-1].stamp == r.stamp: // a crash came between packing and deleting
			errs = append(errs, a.disk.Remove(r.path))
		default:
			errs = append(errs, a.packFile(ctx, r))
		}
	}
	return errors.Join(append(errs, a.thin(ctx))...)
}

// sweep removes files that were not finished.
func (a *attic) sweep() error {
	entries, err := a.disk.List(a.series.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		whole, ok := strings.CutSuffix(e.Name(), partExt)
		_, packed, ours := a.series.stampOf(whole)
		if ok && (ours && packed || whole == filepath.Base(a.series.path) || whole == filepath.Base(a.series.path)+cutExt) {
			if err := a.disk.Remove(filepath.Join(a.series.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// packFile replaces r by its packed form. At any moment there is one of them that
// is whole.
func (a *attic) packFile(ctx context.Context, r rotated) error {
	part := r.path + packedExt + partExt
	if err := a.writePacked(ctx, r, part); err != nil {
		_ = a.disk.Remove(part) // the error tells enough
		return fmt.Errorf("pack %s: %w", r.path, err)
	}
	if err := a.disk.Rename(part, r.path+packedExt); err != nil {
		return fmt.Errorf("pack %s: %w", r.path, err)
	}
	if err := a.disk.SyncDir(a.series.dir); err != nil {
		return fmt.Errorf("pack %s: %w", r.path, err)
	}
	return a.disk.Remove(r.path)
}

func (a *attic) writePacked(ctx context.Context, r rotated, part string) error {
	if err := a.disk.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	in, err := a.disk.Open(r.path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := a.disk.Create(part)
	if err != nil {
		return err
	}
	defer out.Close()
	zip := gzip.NewWriter(out)
	if _, err := io.CopyBuffer(zip, &interruptible{ctx, in}, make([]byte, 64<<10)); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	return out.Sync()
}

// interruptible reads until ctx ends.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// thin deletes the oldest rotated files, one after another, until no more than
// what is to be kept are left.
func (a *attic) thin(ctx context.Context) error {
	all, err := a.series.list(a.disk)
	if err != nil {
		return err
	}
	total := sink.Bytes(0)
	for _, r := range all {
		total += sink.Bytes(r.size)
	}
	gone, freed := 0, sink.Bytes(0)
	for _, r := range all {
		files, bytes := len(all)-gone, total-freed
		enough := (a.keep.Files == 0 || files <= a.keep.Files) && (a.keep.Bytes == 0 || bytes <= a.keep.Bytes)
		if enough || ctx.Err() != nil {
			break
		}
		if err = a.disk.Remove(r.path); err != nil {
			break
		}
		gone, freed = gone+1, freed+sink.Bytes(r.size)
	}
	if a.deleted += uint64(gone); gone > 0 {
		a.log.Info("deleted the oldest rotated files", "path", a.series.path, "keep", a.keep.String(),
			"files", gone, "bytes", int64(freed), "files_since_start", a.deleted)
	}
	return err
}
