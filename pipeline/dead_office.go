package pipeline

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sluice/pipeline/journal"
)

// deadOffice has the dead letters of all sinks, those that are not configured any
// more among them. It is safe for concurrent use.
type deadOffice struct {
	dir string
	fs  journal.FS
	log *slog.Logger

	mu      sync.Mutex // guards letters
	letters map[string]*deadLetters
}

// newDeadOffice returns the office of a pipeline's folder.
func newDeadOffice(dir string, files journal.FS, log *slog.Logger) *deadOffice {
	return &deadOffice{dir: filepath.Join(dir, "dead"), fs: files, log: log, letters: map[string]*deadLetters{}}
}

// of returns the dead letters of a sink.
func (o *deadOffice) of(sink string) *deadLetters {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, ok := o.letters[sink]
	if !ok {
		d = newDeadLetters(o.dir, sink, o.fs, o.log.With("sink", sink))
		o.letters[sink] = d
	}
	return d
}

// sinks returns the names of the sinks that have dead letters or some to replay.
func (o *deadOffice) sinks() ([]string, error) {
	files, err := o.fs.List(o.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, file := range files {
		name, ok := strings.CutSuffix(strings.TrimSuffix(file, ".1"), letterSuffix)
		if !ok {
			name, _, ok = replayName(file)
		}
		if ok && name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// DeadStats is what happened to the dead letters of a sink, since the start.
type DeadStats struct {
	Replaying bool   // some may be yet to be delivered once more
	Evicted   uint64 // letters that were lost, because there were more than are kept
	Dropped   uint64 // letters that a command has deleted
}

func (d *deadLetters) stats() DeadStats {
	return DeadStats{Replaying: d.pending.Load(), Evicted: d.evicted.Load(), Dropped: d.dropped.Load()}
}

// letterFile is a file of letters as it was at one moment.
type letterFile struct {
	journal.File
	from, size int64
	replaying  bool
}

// lines calls each for the lines that the file had then, of those to replay the
// ones that are yet to be.
func (f letterFile) lines(each func(line []byte) error) error {
	return eachLine(io.NewSectionReader(f, f.from, f.size-f.from), func(line []byte, _ int64) error { return each(line) })
}

// look opens all files of letters, the oldest first. The caller closes them, also
// when there was an error.
func (d *deadLetters) look() (files []letterFile, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	numbers, err := d.replays()
	if err != nil {
		return nil, err
	}
	done, err := d.progress()
	if err != nil {
		return nil, err
	}
	add := func(path string, from int64, replaying bool) {
		f, e := d.fs.Open(path)
		if errors.Is(e, fs.ErrNotExist) {
			return
		}
		size := int64(0)
		if e == nil {
			size, e = f.Size()
			files = append(files, letterFile{f, from, size, replaying})
		}
		err = errors.Join(err, e)
	}
	for _, n := range numbers {
		from := int64(0)
		if n == done.File {
			from = done.Offset
		}
		add(d.replayPath(n), from, true)
	}
	for _, path := range d.files() {
		add(path, 0, false)
	}
	return files, err
}
