package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
)

// dialControl connects to the gateway that runs on dir.
func dialControl(dir string) (net.Conn, error) {
	path := filepath.Join(dir, socketName)
	if len(path) > maxSocket {
		return nil, fmt.Errorf("%s is too long for a socket", path)
	}
	return net.Dial("unix", path)
}

var errBroken = errors.New("the gateway has ended in the middle of its answer")

// send has the gateway behind conn carry out an order for the journal.
func send(ctx context.Context, conn net.Conn, o order, out *answer) error {
	return post(ctx, conn, "/journal/"+o.name(), o, out)
}

// post has the gateway behind conn carry out an order. Its answer goes to out, and
// it ends as if the order had been carried out here. conn is used up.
func post(ctx context.Context, conn net.Conn, page string, o any, out *answer) error {
	defer conn.Close()
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gateway"+page, bytes.NewReader(body))
	if err != nil {
		return err
	}
	transport := &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("ask the gateway: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, maxOrder))
		return out.end(text)
	}
	from := &received{Reader: response.Body}
	switch _, err := io.Copy(out, from); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case from.err != nil:
		return errBroken
	case err != nil:
		return err
	}
	text, err := url.PathUnescape(response.Trailer.Get(outcomeTrailer))
	if err != nil {
		return errBroken
	}
	return out.end([]byte(text))
}

// received tells an answer that broke off from one that could not be written.
type received struct {
	io.Reader
	err error
}

func (r *received) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// end takes over how the order ended elsewhere.
func (a *answer) end(text []byte) error {
	var o outcome
	if err := json.Unmarshal(text, &o); err != nil {
		return errBroken
	}
	a.notes = o.Notes
	switch {
	case o.Exit == exitOK:
		return nil
	case o.Error == "":
		return toldError{o.Exit}
	case o.Exit == exitUsage:
		return usageError{errors.New(o.Error)}
	}
	return errors.New(o.Error)
}
