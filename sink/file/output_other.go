//go:build !unix

package file

import (
	"context"
	"os"
)

func openStandardOutput() (*os.File, error) { return os.Stdout, nil }

// awaitWritable cannot know: a reader that does not read holds up the sink.
func awaitWritable(ctx context.Context, _ *os.File) error { return ctx.Err() }
