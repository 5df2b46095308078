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
func (w *worker) request(ctx context.Context, lines []byte) error {
	data, err := w.pack(lines)
	if err != nil {
		return err
	}
	defer w.bodies.wait() // runs last: a request that has ended lets go
	ctx, cancel := context.WithTimeout(ctx, w.sink.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.sink.url, nil)
	if err != nil {
		return fmt.Errorf("write to bucket %q: %w", w.sink.cfg.Bucket, err)
	}
	req.Body, req.ContentLength = w.bodies.of(data), int64(len(data))
	req.GetBody = func() (io.ReadCloser, error) { return w.bodies.of(data), nil }
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if w.sink.cfg.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	w.sink.requests.Add(1)
	resp, err := w.sink.service.DoHTTPRequestWithResponse(req, nil)
	if err != nil {
		return fmt.Errorf("write to bucket %q: %w", w.sink.cfg.Bucket, err)
	}
	defer resp.Body.Close()
	err = w.sink.classify(resp, time.Now())
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	return err
}

func (w *worker) pack(lines []byte) ([]byte, error) {
	if !w.sink.cfg.Gzip {
		return lines, nil
	}
	if w.packed.Cap() > keptRoom {
		w.packed = bytes.Buffer{}
	}
	w.packed.Reset()
	w.zip.Reset(&w.packed)
	if _, err := w.zip.Write(lines); err != nil {
		return nil, fmt.Errorf("compress lines: %w", err)
	}
	if err := w.zip.Close(); err != nil {
		return nil, fmt.Errorf("compress lines: %w", err)
	}
	return w.packed.Bytes(), nil
}
