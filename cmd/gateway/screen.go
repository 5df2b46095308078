package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// screen is where people look: results on standard output, progress and notes on
// standard error, in place and in colour when that is a terminal.
type screen struct {
	out io.Writer

	mu       sync.Mutex // guards err
	err      io.Writer
	inPlace  bool // progress replaces itself
	coloured bool
}

func newScreen(out, err io.Writer) *screen {
	return &screen{
		out: out, err: err, inPlace: isTerminal(err),
		coloured: isTerminal(out) && os.Getenv("NO_COLOR") == "",
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// clearLine puts the cursor at the beginning of an empty line.
const clearLine = "\r\x1b[K"

// follow shows what line returns until ctx ends: every half second in place on a
// terminal, else a line every two seconds.
func (s *screen) follow(ctx context.Context, line func() string) {
	every, form := 2*time.Second, "%s\n"
	if s.inPlace {
		every, form = 500*time.Millisecond, clearLine+"%s"
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.print(form, line())
			if s.inPlace {
				s.print("%s", "\n")
			}
			return
		case <-tick.C:
			s.print(form, line())
		}
	}
}

func (s *screen) print(form, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.err, form, text)
}

// note prints a line between the progress.
func (s *screen) note(text string) {
	if s.inPlace {
		text = clearLine + text
	}
	s.print("%s\n", text)
}

// notes returns a writer whose writes are whole lines, for a log.
func (s *screen) notes() io.Writer { return noteWriter{s} }

type noteWriter struct{ s *screen }

func (w noteWriter) Write(b []byte) (int, error) {
	text := string(b)
	if w.s.inPlace {
		text = clearLine + text
	}
	w.s.print("%s", text)
	return len(b), nil
}

func (s *screen) green(text string) string { return s.colour("32", text) }
func (s *screen) red(text string) string   { return s.colour("31", text) }

func (s *screen) colour(code, text string) string {
	if !s.coloured {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
