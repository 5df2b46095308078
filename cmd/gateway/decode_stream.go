package main

import (
	"bytes"
	"fmt"
	"os"

	"sluice/cmd/gateway/config"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// cut returns the frames of streams, and says on standard error what was none.
func (c *decodeCall) cut(streams [][]byte, d payload.Decode) ([][]byte, error) {
	framing, err := config.ParseFraming(c.frame, d)
	if err != nil {
		return nil, err
	}
	reader, err := frame.New(framing)
	if err != nil {
		return nil, err
	}
	var frames [][]byte
	take := func() {
		for f, ok := reader.Next(); ok; f, ok = reader.Next() {
			frames = append(frames, bytes.Clone(f))
		}
	}
	for _, stream := range streams {
		reader.Feed(stream)
		take()
		reader.Idle() // the end of a file is a quiet line
		take()
		reader.Reset()
	}
	s := reader.Stats()
	if s.Bad+s.TooLong+s.Skipped > 0 || len(frames) == 0 {
		fmt.Fprintf(os.Stderr, "%d frames, %d bad, %d too long, %d bytes skipped\n", s.Frames, s.Bad, s.TooLong, s.Skipped)
	}
	return frames, nil
}
