package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/pipeline/journal"
)

// Archive is what a journal holds at one moment, to be looked at, and the commands
// that change it. It belongs to one goroutine; there may be several of a pipeline
// that runs.
type Archive struct {
	dir     string
	view    *journal.View
	journal *journal.Journal // nil: only to be looked at
	office  *deadOffice
	sinks   []string     // that are configured
	close   func() error // gives the folder free; nil: it is the pipeline's
}

// ErrNoJournal is returned for a folder without a journal.
var ErrNoJournal = errors.New("there is no journal")

// Look returns the archive of the journal in dir, which no process may have open
// until Close. It only looks, on a file system that is mounted read-only too.
func Look(dir string) (*Archive, error) {
	if err := present(dir); err != nil {
		return nil, err
	}
	view, done, err := journal.Look(dir, readOnly{})
	if err != nil {
		return nil, err
	}
	return &Archive{dir: dir, view: view, office: newDeadOffice(dir, readOnly{}, slog.New(slog.DiscardHandler)), close: func() error { done(); return nil }}, nil
}

// Reopen returns the archive of the journal in config.Dir, which no process may
// have open until Close. It can be changed. Sinks are those that are configured.
func Reopen(config Config, sinks []string, log *slog.Logger) (*Archive, error) {
	if err := present(config.Dir); err != nil {
		return nil, err
	}
	j, err := journal.Open(journal.Options{
		Dir:         config.Dir,
		SegmentSize: int64(config.Segment),
		MaxSize:     int64(config.MaxSize),
		Volatile:    int64(config.Volatile),
		Log:         log,
	})
	if err != nil {
		return nil, err
	}
	return &Archive{dir: config.Dir, view: j.View(), journal: j, office: newDeadOffice(config.Dir, journal.OS{}, log), sinks: sinks, close: j.Close}, nil
}

// Archive returns what the pipeline's journal holds now. It must not be used when
// Run has returned.
func (p *Pipeline) Archive() *Archive {
	a := &Archive{dir: p.config.Dir, view: p.journal.View(), journal: p.journal, office: p.office, sinks: []string{}}
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, d := range p.deliveries {
		a.sinks = append(a.sinks, d.name)
	}
	return a
}

// Close gives the folder free.
func (a *Archive) Close() error {
	if a.close == nil {
		return nil
	}
	return a.close()
}

func present(dir string) error {
	info, err := os.Stat(filepath.Join(dir, "journal"))
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && !info.IsDir():
		return fmt.Errorf("%w in %s", ErrNoJournal, dir)
	case err != nil:
		return fmt.Errorf("look for a journal: %w", err)
	}
	return nil
}

// Running reports whether the journal is that of a pipeline which runs.
func (a *Archive) Running() bool { return a.close == nil }

// Dir returns the folder.
func (a *Archive) Dir() string { return a.dir }

// First returns the sequence at which the log begins.
func (a *Archive) First() uint64 { return a.view.First() }

// Next returns the sequence that follows the last reading.
func (a *Archive) Next() uint64 { return a.view.Next() }

// Segment is one segment of an Archive.
type Segment struct {
	journal.SegmentView
	Next  uint64    // sequence that follows its last reading
	Used  int64     // bytes up to the end of its last record
	Since time.Time // when its first record was accepted, zero without one
	Until time.Time // when its last was
}

// Segments returns the segments in the order of the log. Only their beginnings and
// ends are read.
func (a *Archive) Segments() []Segment {
	list := make([]Segment, len(a.view.Segments))
	for i, v := range a.view.Segments {
		s := Segment{SegmentView: v, Next: v.First}
		if first, last, ok := a.view.Ends(i); ok {
			s.Since, s.Until = first.Accepted, last.Accepted
			s.Next, s.Used = last.Seq+uint64(last.Count), last.Offset+last.Bytes
		}
		if i+1 < len(a.view.Segments) { // what was lost at its end counts
			s.Next = a.view.Segments[i+1].First
		}
		list[i] = s
	}
	return list
}

// Place is where a cursor of an Archive stands.
type Place struct {
	journal.CursorView
	Waiting uint64    // readings that it has yet to pass
	Since   time.Time // when the next one that it wants was accepted, zero when none waits
}

// Places returns the places of the cursors, by name. That of a cursor whose file is
// damaged is the beginning of the log.
func (a *Archive) Places(ctx context.Context) ([]Place, error) {
	list := make([]Place, len(a.view.Cursors))
	first, next := a.First(), a.Next()
	for i, v := range a.view.Cursors {
		p := Place{CursorView: v}
		if from := max(v.Position, first); from < next {
			p.Waiting = next - from
			var err error
			if p.Since, err = a.Accepted(ctx, from); err != nil {
				return nil, err
			}
		}
		list[i] = p
	}
	return list, nil
}

// Spare returns the size of the segment that is kept ready, 0 when there is none.
func (a *Archive) Spare() int64 {
	info, err := os.Stat(filepath.Join(a.dir, "journal", "spare"))
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// Aside returns the files that the journal does not use.
func (a *Archive) Aside() []journal.AsideView { return a.view.Aside }

// Names returns the names of the cursors.
func (a *Archive) Names() []string {
	names := make([]string, len(a.view.Cursors))
	for i, c := range a.view.Cursors {
		names[i] = c.Name
	}
	return names
}

// Replay makes a sink read again from the sequence on, as far as that is still
// there, and returns how many readings it is given again.
func (a *Archive) Replay(sink string, from uint64) (readings uint64, err error) {
	return a.journal.Replay(sink, from)
}

// Trim deletes the segments whose readings are all before the sequence, and returns
// how many readings each sink has lost by that. The last segment stays.
func (a *Archive) Trim(before uint64) map[string]uint64 { return a.journal.Trim(before) }

// Forget ends the cursor of a sink that is not configured.
func (a *Archive) Forget(sink string) error {
	if slices.Contains(a.sinks, sink) {
		return fmt.Errorf("forget %s: a sink of that name is configured", sink)
	}
	return a.journal.Forget(sink)
}

// readOnly is the real file system, on which files are opened for reading alone.
type readOnly struct{ journal.OS }

// Open opens an existing file.
func (readOnly) Open(name string) (journal.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return readOnlyFile{f}, nil
}

type readOnlyFile struct{ *os.File }

func (f readOnlyFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
