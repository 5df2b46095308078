// Package file writes readings to a file, one line each, as JSON or as InfluxDB's
// line protocol, and rotates it. What a crash left behind the place that the
// journal remembers is cut away before it is written again, so that each reading
// is there once. To standard output readings go at least once.
package file

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/lineproto"
)

var (
	_ sink.Sink       = (*Sink)(nil)
	_ sink.Connector  = (*Sink)(nil)
	_ sink.Rememberer = (*Sink)(nil)
	_ sink.Meter      = (*Sink)(nil)
)

// keptRoom bounds the buffer that a Sink keeps from one Write to the next.
const keptRoom = 4 << 20

// Options is what the gateway gives to every sink.
type Options struct {
	Gateway string       // the gateway's name, for the path and the lines
	Log     *slog.Logger // changes of state
}

// Sink writes to one file, or to standard output.
type Sink struct {
	cfg    Config
	log    *slog.Logger
	disk   disk
	series series
	attic  *attic
	output *output            // standard output instead of a file, nil: a file
	lines  *lineproto.Encoder // nil: JSON

	file    handle      // nil: to be opened
	held    fs.FileInfo // what file is, and still is after an error has closed it; nil: not opened yet
	place   place       // at its end
	dirty   bool        // it may hold more than that, of ours
	adopted bool        // nobody remembers it: it may hold what is about to be written

	cut      cut // what is still to be written again
	recalled cut // as it was remembered

	largestCut int64 // bytes, for tests to make it small
	buf        []byte

	writes, bytes atomic.Uint64
}

// New returns the sink called name. It opens its file with Connect or the first
// Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	s := &Sink{cfg: cfg, log: o.Log.With("sink", name), disk: osDisk{}, largestCut: largestCut}
	if cfg.Format == "line" {
		var err error
		if s.lines, err = lineproto.New(o.Gateway, cfg.Line); err != nil {
			return nil, err
		}
	}
	if cfg.Path == StandardOutput {
		s.output = &output{open: openStandardOutput}
		return s, nil
	}
	path, err := sink.ParseTemplate(cfg.Path)
	if err != nil {
		return nil, err
	}
	s.series = newSeries(filepath.Clean(string(path.Append(nil, o.Gateway, &protocol.Device{}, nil))))
	s.place = s.unknown()
	s.attic = newAttic(s)
	return s, nil
}

// unknown returns the place of a sink that remembers nothing.
func (s *Sink) unknown() place {
	return place{Path: digest([]byte(s.series.path)), Format: s.cfg.Format, Since: time.Now().Unix()}
}

// Connect opens the file, which it creates together with its folder.
func (s *Sink) Connect(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	if s.output != nil {
		return s.output.ready()
	}
	return s.ready()
}

// Write appends the readings as lines and syncs the file. In line protocol a
// reading is rejected without a value that a line can hold, and one of which a
// metric was left out for that. A disk that does not answer cannot be interrupted:
// ctx is heeded before the first byte, and by standard output.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	rejected := s.encode(readings)
	if len(s.buf) > 0 {
		write := s.append
		if s.output != nil {
			write = func(lines []byte) error { return s.output.write(ctx, lines) }
		}
		if err := write(s.buf); err != nil {
			return err
		}
		s.writes.Add(1)
		s.bytes.Add(uint64(len(s.buf)))
	}
	if len(rejected) > 0 {
		return &sink.PartialError{Rejected: rejected}
	}
	return nil
}

func (s *Sink) encode(readings []protocol.Reading) (rejected []sink.Rejection) {
	if cap(s.buf) > keptRoom {
		s.buf = nil
	}
	s.buf = s.buf[:0]
	for i := range readings {
		if s.lines == nil {
			s.buf = append(protocol.AppendJSON(s.buf, &readings[i]), '\n')
			continue
		}
		var err error
		if s.buf, err = s.lines.Append(s.buf, &readings[i]); err != nil {
			rejected = append(rejected, sink.Rejection{Index: i, Err: sink.Permanent(err)})
		}
	}
	return rejected
}

// append appends lines to the file, all of them or none.
func (s *Sink) append(lines []byte) error {
	if err := s.ready(); err != nil {
		return err
	}
	if s.adopted {
		if err := s.dropRepeated(lines); err != nil {
			return err
		}
	}
	if s.isFull(len(lines)) {
		if err := s.rotate(); err != nil {
			return err
		}
	}
	if err := s.put(lines); err != nil {
		return fmt.Errorf("write to %s: %w", s.series.path, err)
	}
	s.place.end(s.place.At+int64(len(lines)), lines)
	s.compareCut(lines)
	return nil
}

// put writes lines at the end of the file. What an error leaves of them is cut
// away, at once or before the file is written to again. A file that could not be
// synced is opened anew: the system may have forgotten what it did not write.
func (s *Sink) put(lines []byte) error {
	s.dirty = true
	_, err := s.file.Write(lines)
	if err != nil {
		if s.file.Truncate(s.place.At) != nil {
			s.shut()
			return err
		}
		s.dirty = false
		return err
	}
	if s.cfg.Sync {
		if err := s.file.Sync(); err != nil {
			s.shut()
			return err
		}
	}
	s.dirty = false
	return nil
}

// shut closes the file. It is opened again with the next Write.
func (s *Sink) shut() {
	if s.file != nil {
		_ = s.file.Close() // what was confirmed has been synced
		s.file = nil
	}
}

// Remember returns the place behind the last confirmed line.
func (s *Sink) Remember() []byte {
	if s.output != nil {
		return nil
	}
	p := s.place
	p.Cut, p.CutOf = s.cut.at, s.cut.size
	return p.marshal()
}

// Recall makes the file end where memory says, as soon as it is opened.
func (s *Sink) Recall(memory []byte) {
	if s.output != nil || len(memory) == 0 {
		return
	}
	p, err := parsePlace(memory)
	switch {
	case err != nil:
		s.log.Warn("cannot read what was remembered of the file", "err", err)
	case p.Path != s.place.Path:
		s.log.Info("the file has another path now, it begins anew", "path", s.series.path)
	default:
		s.place, s.recalled = p, cut{at: p.Cut, size: p.CutOf}
		s.place.Since = min(p.Since, time.Now().Unix()) // a clock may go back
	}
}

// Traffic returns the writes and bytes since the sink was made.
func (s *Sink) Traffic() sink.Traffic {
	return sink.Traffic{Requests: s.writes.Load(), Sent: s.bytes.Load()}
}

// Close closes the file and ends what is done with the rotated ones.
func (s *Sink) Close() error {
	if s.output != nil {
		return s.output.close()
	}
	s.attic.stop()
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if err != nil {
		return fmt.Errorf("close %s: %w", s.series.path, err)
	}
	return nil
}
