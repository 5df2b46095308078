package influx

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sluice/sink"
)

// readLimit bounds what is read of an answer, so that a list of rejected lines
// has room, and longestWait what a server may ask for: a wrong clock or unit
// there must not stop the sink for days.
const (
	readLimit   = 1 << 20
	longestWait = 15 * time.Minute
)

var errTooLarge = errors.New("the request is too large for the server")

// answer is what the server said to a write.
type answer struct {
	status  int
	header  http.Header
	message string          // what InfluxDB says is wrong, "" when it says nothing
	faults  json.RawMessage // InfluxDB 3: the rejected lines
	influx  bool            // it is InfluxDB that speaks, and no proxy or login page
}

func readAnswer(r *http.Response) answer {
	text, _ := io.ReadAll(io.LimitReader(r.Body, readLimit)) // half a message is better than none
	a := answer{status: r.StatusCode, header: r.Header}
	for _, mark := range []string{"X-Influxdb-Version", "X-Influxdb-Error", "X-Platform-Error-Code"} {
		a.influx = a.influx || r.Header.Get(mark) != ""
	}
	var said struct {
		Message, Error string
		Data           json.RawMessage
	}
	if json.Unmarshal(text, &said) == nil && said.Message+said.Error != "" {
		a.message, a.faults, a.influx = said.Message, said.Data, true
		if said.Message == "" {
			a.message = said.Error
		}
	} else if strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
		a.message = string(text)
	}
	return a
}

// classify says what the server's answer means. Only 204 means stored: the 200
// of a login page on the way is no success. now is the time of the answer.
func (s *Sink) classify(r *http.Response, now time.Time) error {
	if r.StatusCode == http.StatusNoContent {
		return nil
	}
	a := readAnswer(r)
	err := fmt.Errorf("write to bucket %q: %s%s", s.cfg.Bucket, s.describe(a), s.advice(a))
	switch {
	case a.status == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w (%w)", err, errTooLarge)
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		if wait := retryAfter(r.Header.Get("Retry-After"), now); wait > 0 {
			return sink.RetryAfter(err, wait)
		}
	case a.blamesLines():
		return &refusal{a, sink.Permanent(err)}
	}
	return err
}

// Texts by which InfluxDB tells what an answer of 400 or the like is about. They
// are never changed. What is about lines may quote any text from them.
var (
	aboutLines   = regexp.MustCompile(`(?i)unable to parse|field type conflict|line protocol|error (parsing|in) line|points rejected|beyond retention`)
	aboutRequest = regexp.MustCompile(`(?i)(missing|invalid|empty) (bucket|org|database|precision|db)\b|(bucket|database|org|precision)[a-z ]* (missing|required|invalid)|retention policy not found`)
	aboutServer  = regexp.MustCompile(`(?i)no space left|disk quota|read-only file system|input/output error|too many open files|cannot allocate memory|permission denied|timeout|engine is closed|cache-max-memory-size`)
)

// blamesLines reports whether the same lines would be refused again for what
// they are. A server says 400 too when its disk is full or the bucket is not
// named, and a proxy when it does not understand HTTP: then no reading is at
// fault. Some say 500 about lines.
func (a answer) blamesLines() bool {
	switch {
	case !a.influx:
		return false
	case a.status == http.StatusBadRequest, a.status == http.StatusUnprocessableEntity:
		return aboutLines.MatchString(a.message) || !a.blamesRequest() && !aboutServer.MatchString(a.message)
	}
	return a.status == http.StatusInternalServerError && aboutLines.MatchString(a.message)
}

func (a answer) blamesRequest() bool {
	return aboutRequest.MatchString(a.message) && !aboutLines.MatchString(a.message)
}

// advice says what the operator has to do about an answer.
func (s *Sink) advice(a answer) string {
	switch code := a.status; {
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
	case code >= 400 && code < 500 && a.blamesRequest():
		return ": correct org, bucket and precision"
	case (code == http.StatusBadRequest || code == http.StatusUnprocessableEntity) && !a.influx:
		return ": url does not lead to an InfluxDB"
	}
	return ""
}

// describe returns the status and what the server said, in one short line that
// never holds the token.
func (s *Sink) describe(a answer) string {
	message := a.message
	if token := s.cfg.Token.Reveal(); token != "" {
		message = strings.ReplaceAll(message, token, s.cfg.Token.String())
	}
	status := strings.TrimSpace(strconv.Itoa(a.status) + " " + http.StatusText(a.status))
	if message = oneLine(message); message == "" {
		return "the server answers " + status
	}
	return "the server answers " + status + " (" + message + ")"
}

// oneLine returns at most 300 bytes of s, without control characters.
func oneLine(s string) string {
	const longest = 300
	cut := len(s) > longest
	if cut {
		s = s[:longest]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if cut {
		s += "…"
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
