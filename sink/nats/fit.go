package nats

import (
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	shortAge   = time.Hour // of a stream that forgets too soon
	smallLimit = 16 << 10  // bytes that a reading of many metrics reaches
)

// warn logs what in the stream's configuration does not fit a sink, once for
// each configuration.
func (s *Sink) warn(cfg *jetstream.StreamConfig) {
	found := s.misfits(cfg)
	text := strings.Join(found, "\n")
	if text == s.warned {
		return
	}
	s.warned = text
	for _, misfit := range found {
		s.log.Warn("stream may not fit", "stream", s.cfg.Stream, "why", misfit)
	}
}

func (s *Sink) misfits(cfg *jetstream.StreamConfig) (found []string) {
	say := func(really bool, format string, args ...any) {
		if really {
			found = append(found, fmt.Sprintf(format, args...))
		}
	}
	say(!takes(cfg.Subjects, s.own), "none of its subjects %q takes all of %s: readings may be refused", cfg.Subjects, s.own)
	say(s.covered() <= 0, "duplicate_window %v is short beside the timeout of %v: after every cut of the line the stream is read back; better 2m", cfg.Duplicates, s.cfg.Timeout)
	say(cfg.MaxAge > 0 && cfg.MaxAge < shortAge, "max_age %v: after a longer outage, readings whose acknowledgement was lost are stored twice", cfg.MaxAge)
	say(cfg.MaxMsgsPerSubject > 0, "max_msgs_per_subject %d: after an outage, readings that it has discarded are stored again", cfg.MaxMsgsPerSubject)
	say(cfg.Discard == jetstream.DiscardNew && isBounded(cfg), "discard new: when it is full, readings stay in the journal")
	say(cfg.Storage == jetstream.MemoryStorage, "storage memory: a restart of the server loses what it holds, delivered readings too")
	say(cfg.MaxMsgSize > 0 && cfg.MaxMsgSize < smallLimit, "max_msg_size %d: larger readings become dead letters", cfg.MaxMsgSize)
	say(cfg.Retention != jetstream.LimitsPolicy, "retention %s: after an outage, readings that were consumed meanwhile may be stored again", strings.ToLower(cfg.Retention.String()))
	say(cfg.Sealed, "it is sealed: it takes nothing")
	return found
}

func isBounded(cfg *jetstream.StreamConfig) bool {
	return cfg.MaxMsgs > 0 || cfg.MaxBytes > 0 || cfg.MaxMsgsPerSubject > 0
}
