package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// output writes lines to standard output, at least once: what an error leaves
// unwritten of a line is written before anything else.
type output struct {
	open func() (*os.File, error)
	file *os.File // nil: not opened yet
	rest []byte   // of the line that an error has cut
}

// portion is what a pipe that is ready takes without waiting.
const portion = 4 << 10

func (o *output) ready() error {
	if o.file != nil {
		return nil
	}
	f, err := o.open()
	if err != nil {
		return fmt.Errorf("open standard output: %w", err)
	}
	o.file = f
	return nil
}

// write returns when the other end has taken all lines, or ctx ends.
func (o *output) write(ctx context.Context, lines []byte) error {
	if err := o.ready(); err != nil {
		return err
	}
	n, err := o.put(ctx, o.rest)
	o.rest = o.rest[n:]
	if err == nil {
		if n, err = o.put(ctx, lines); err != nil && n > 0 && lines[n-1] != '\n' {
			o.rest = bytes.Clone(lines[n : n+bytes.IndexByte(lines[n:], '\n')+1])
		}
	}
	if errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("write to standard output: nobody reads it any more: restart the gateway together with its reader: %w", err)
	}
	if err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// put writes text in portions and returns how much of it was taken.
func (o *output) put(ctx context.Context, text []byte) (int, error) {
	for at := 0; at < len(text); {
		if err := awaitWritable(ctx, o.file); err != nil {
			return at, err
		}
		n, err := o.file.Write(text[at:min(at+portion, len(text))])
		at += n
		if err != nil {
			return at, err
		}
	}
	return len(text), nil
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	if err != nil {
		return fmt.Errorf("close standard output: %w", err)
	}
	return nil
}
