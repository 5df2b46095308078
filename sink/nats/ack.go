package nats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"sluice/sink"
)

// noResponders is the status of an answer that the server gives where nobody
// listens.
const noResponders = "503"

// The server's codes for what a sink meets.
const (
	codeNoLeader       = 10008
	codeResources      = 10023
	codeMaxConsumers   = 10026
	codeMemory         = 10028
	codeAccountOff     = 10039
	codeStorage        = 10047
	codeTooLarge       = 10054
	codeServerOff      = 10076
	codeStoreFailed    = 10077 // a limit of a stream with discard: new
	codeHeaderTooLarge = 10097
	codeSealed         = 10109
)

// take settles one publish.
func (s *Sink) take(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(s.conn.inbox):], 36, 64)
	if err != nil {
		return // nobody of ours asked for it
	}
	i, ok := s.window.answered(number)
	if !ok {
		return
	}
	if seq, ok := s.plainAck(m.Data); ok {
		s.window.store(i, seq)
		return
	}
	seq, state, err := s.readAck(m)
	switch state {
	case isStored:
		s.window.store(i, seq)
	case isRejected:
		s.window.reject(i, err)
	default:
		s.window.refuse(i, state, fmt.Errorf("publish to stream %s: %w", s.cfg.Stream, err))
	}
}

// plainAck reads the usual {"stream":"READINGS","seq":17} without decoding it.
func (s *Sink) plainAck(data []byte) (seq uint64, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"stream":"`))
	if !ok || len(rest) <= len(s.cfg.Stream) || string(rest[:len(s.cfg.Stream)]) != s.cfg.Stream {
		return 0, false
	}
	rest, ok = bytes.CutPrefix(rest[len(s.cfg.Stream):], []byte(`","seq":`))
	if !ok || bytes.Contains(rest, []byte(`"error"`)) {
		return 0, false
	}
	for _, c := range bytes.TrimLeft(rest, " ") {
		if c < '0' || c > '9' {
			break
		}
		seq = seq*10 + uint64(c-'0')
	}
	return seq, seq > 0
}

// readAck returns where the configured stream holds the reading, now or since an
// earlier Write, or what else the answer means.
func (s *Sink) readAck(m *nats.Msg) (seq uint64, state publishState, err error) {
	if len(m.Data) == 0 && m.Header.Get("Status") == noResponders {
		return 0, isRefused, fmt.Errorf("no stream takes the subjects of %s: add them to its subjects", s.pattern)
	}
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
		Seq    uint64              `json:"seq"`
	}
	switch err := json.Unmarshal(m.Data, &ack); {
	case err != nil:
		return 0, isUnclear, fmt.Errorf("read acknowledgement: %w", err)
	case ack.Error != nil:
		return 0, stateOf(ack.Error), explain(ack.Error)
	case ack.Stream == "":
		return 0, isUnclear, fmt.Errorf("something that is no stream answers on the subjects of %s", s.pattern)
	case ack.Stream != s.cfg.Stream:
		return 0, isUnclear, fmt.Errorf("the subjects of %s are bound to stream %s", s.pattern, ack.Stream)
	}
	return ack.Seq, isStored, nil
}

// stateOf returns what a stream's refusal means for the reading. Only a too
// large one is beyond mending. An error of the server's own may come after the
// message was stored.
func stateOf(e *jetstream.APIError) publishState {
	switch {
	case e.ErrorCode == codeTooLarge, e.ErrorCode == codeHeaderTooLarge:
		return isRejected
	case e.ErrorCode == codeStoreFailed, e.Code >= 400 && e.Code < 500:
		return isRefused
	}
	return isUnclear
}

// explain adds to what the server said what an operator can do about it.
func explain(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			return fmt.Errorf("%w: no server with JetStream is there: turn it on", err)
		case errors.Is(err, nats.ErrPermissionViolation):
			return fmt.Errorf("%w: allow it to this user", err)
		case errors.Is(err, nats.ErrAuthorization):
			return fmt.Errorf("%w: look at username and password, token or creds", err)
		}
		return err
	}
	if api.Code == http.StatusTooManyRequests {
		return sink.RetryAfter(err, time.Second)
	}
	if advice := adviceOn(api.ErrorCode); advice != "" {
		return fmt.Errorf("%w: %s", err, advice)
	}
	return err
}

func adviceOn(code jetstream.ErrorCode) string {
	switch code {
	case codeStoreFailed:
		return "the stream is full and refuses what is new: make room, or raise its limits"
	case codeResources, codeStorage, codeMemory:
		return "give JetStream more memory or storage, or its streams smaller limits"
	case codeAccountOff:
		return "turn JetStream on for the account of this user"
	case codeServerOff:
		return "turn JetStream on in the server"
	case codeSealed:
		return "name a stream that is not sealed"
	case codeMaxConsumers:
		return "allow one consumer more, which reads back the ids that the stream holds"
	case codeNoLeader:
		return "it returns when enough servers of the cluster are there"
	}
	return ""
}
