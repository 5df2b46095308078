package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sluice/sink"
)

// readLimit bounds what is read of an answer, and longestWait what a server may
// ask for: a wrong clock or unit there must not stop the sink for days.
const (
	readLimit   = 4 << 10
	longestWait = 15 * time.Minute
)

var errTooLarge = errors.New("the request is too large for the server")

// classify says what the server's answer means. Only 204 means stored: the 200
// of a login page on the way is no success. now is the time of the answer.
func (s *Sink) classify(r *http.Response, now time.Time) error {
	if r.StatusCode == http.StatusNoContent {
		return nil
	}
	err := fmt.Errorf("write to bucket %q: %s%s", s.cfg.Bucket, s.describe(r), s.advice(r))
	switch r.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return sink.Permanent(err)
	case http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w (%w)", err, errTooLarge)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if wait := retryAfter(r.Header.Get("Retry-After"), now); wait > 0 {
			return sink.RetryAfter(err, wait)
		}
	}
	return err
}

// advice says what the operator has to do about an answer.
func (s *Sink) advice(r *http.Response) string {
	switch code := r.StatusCode; {
	case code == http.StatusUnauthorized:
		return ": the server does not accept the token"
	case code == http.StatusForbidden:
		return ": the token may not write to this bucket"
	case code == http.StatusNotFound:
		return fmt.Sprintf(": create the bucket in organization %q, or correct url, org and bucket", s.cfg.Org)
	case code >= 200 && code < 300:
		return ": want 204; url does not lead to an InfluxDB"
	case code >= 300 && code < 400:
		return ": url is redirected, correct it"
	}
	return ""
}

// describe returns the status and what the server said, in one short line that
// never holds the token.
func (s *Sink) describe(r *http.Response) string {
	text, _ := io.ReadAll(io.LimitReader(r.Body, readLimit)) // half a message is better than none
	var said struct{ Message, Error string }
	if json.Unmarshal(text, &said) == nil && said.Message+said.Error != "" {
		text = []byte(said.Message)
		if said.Message == "" {
			text = []byte(said.Error)
		}
	} else if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		text = nil // a page for people
	}
	message := string(text)
	if token := s.cfg.Token.Reveal(); token != "" {
		message = strings.ReplaceAll(message, token, s.cfg.Token.String())
	}
	message = oneLine(message)
	if message == "" {
		return "the server answers " + status(r)
	}
	return "the server answers " + status(r) + " (" + message + ")"
}

func status(r *http.Response) string {
	return strings.TrimSpace(strconv.Itoa(r.StatusCode) + " " + http.StatusText(r.StatusCode))
}

// oneLine returns at most 300 bytes of s, without control characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return strings.TrimSpace(s)
}

// retryAfter reads the header, seconds or a date, as a wait from now.
func retryAfter(header string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}
