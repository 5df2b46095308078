package influx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// request sends lines once. The library's service adds the token and the user
// agent; its own reading of answers takes any 2xx for success and loses what an
// unusual answer says, so that classify reads them instead.
func (s *Sink) request(ctx context.Context, lines []byte) error {
	data, err := s.pack(lines)
	if err != nil {
		return err
	}
	defer s.bodies.wait() // runs last: a request that has ended lets go
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, nil)
	if err != nil {
		return fmt.Errorf("write to bucket %q: %w", s.cfg.Bucket, err)
	}
	req.Body, req.ContentLength = s.bodies.of(data), int64(len(data))
	req.GetBody = func() (io.ReadCloser, error) { return s.bodies.of(data), nil }
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if s.cfg.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	s.requests.Add(1)
	resp, err := s.service.DoHTTPRequestWithResponse(req, nil)
	if err != nil {
		return fmt.Errorf("write to bucket %q: %w", s.cfg.Bucket, err)
	}
	defer resp.Body.Close()
	err = s.classify(resp, time.Now())
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	return err
}

func (s *Sink) pack(lines []byte) ([]byte, error) {
	if !s.cfg.Gzip {
		return lines, nil
	}
	if s.packed.Cap() > keptRoom {
		s.packed = bytes.Buffer{}
	}
	s.packed.Reset()
	s.zip.Reset(&s.packed)
	if _, err := s.zip.Write(lines); err != nil {
		return nil, fmt.Errorf("compress lines: %w", err)
	}
	if err := s.zip.Close(); err != nil {
		return nil, fmt.Errorf("compress lines: %w", err)
	}
	return s.packed.Bytes(), nil
}
