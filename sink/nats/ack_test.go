package nats

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"sluice/sink"
)

func sinkFor(t *testing.T) *Sink {
	pattern, err := parseSubject("readings.{device}")
	if err != nil {
		t.Fatal(err)
	}
	return &Sink{cfg: Config{Stream: "READINGS"}, pattern: pattern}
}

func TestAcks(t *testing.T) {
	s := sinkFor(t)
	tests := []struct {
		data, status string
		state        publishState
		seq          uint64
		want         string
	}{
		{data: `{"stream":"READINGS","seq":17}`, state: isStored, seq: 17},
		{data: `{"stream":"READINGS", "seq":17,"domain":"hub"}`, state: isStored, seq: 17},
		{data: `{"stream":"READINGS","seq":17,"duplicate":true}`, state: isStored, seq: 17},
		{data: `{"stream":"OTHER","seq":17}`, state: isUnclear, want: "bound to stream OTHER"},
		{data: `{"seq":17}`, state: isUnclear, want: "no stream answers"},
		{data: `hello`, state: isUnclear, want: "read acknowledgement"},
		{status: "503", state: isRefused, want: "no stream takes the subjects"},
		{data: `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"READINGS","seq":0}`, state: isRefused, want: "make room"},
		{data: `{"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum allowed"}}`, state: isRejected, want: "message size exceeds"},
		{data: `{"error":{"code":500,"err_code":10047,"description":"insufficient storage"}}`, state: isUnclear, want: "more memory or storage"},
		{data: `{"error":{"code":503,"err_code":10076,"description":"JetStream not enabled"}}`, state: isUnclear, want: "turn JetStream on"},
		{data: `{"error":{"code":400,"err_code":10109,"description":"sealed"}}`, state: isRefused, want: "not sealed"},
	}
	for _, tt := range tests {
		m := &nats.Msg{Data: []byte(tt.data), Header: nats.Header{}}
		if tt.status != "" {
			m.Header.Set("Status", tt.status)
		}
		seq, state, err := s.readAck(m)
		if seq != tt.seq || state != tt.state || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("readAck(%s) = %d, %d, %v; want %d, %d, %q", tt.data, seq, state, err, tt.seq, tt.state, tt.want)
		}
		if seq, ok := s.plainAck(m.Data); ok && (seq != tt.seq || state != isStored) {
			t.Errorf("plainAck(%s) = %d", tt.data, seq)
		}
	}
	if seq, ok := s.plainAck([]byte(tests[0].data)); !ok || seq != 17 {
		t.Errorf("plainAck of the usual = %d, %v", seq, ok)
	}
}

// Answers that servers gave, where they are at hand.
func TestRecordedAnswers(t *testing.T) {
	const folder = "../../../shared/corpus/nats-errors"
	for _, name := range []string{"acks.jsonl", "jetstream-codes.jsonl"} {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Logf("no recorded answers beside this clone: %v", err)
			return
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var c struct {
				ID       string
				Input    string `json:"input_text"`
				Expected struct{ Description string }
			}
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			judgeAnswer(t, c.ID, c.Input, c.Expected.Description)
		}
	}
}

func judgeAnswer(t *testing.T, id, text, description string) {
	s := sinkFor(t)
	s.cfg.Stream = "GOVERNOR_TEST"
	if seq, ok := s.plainAck([]byte(text)); ok {
		t.Errorf("%s: taken for an acknowledgement of %d", id, seq)
	}
	_, state, err := s.readAck(&nats.Msg{Data: []byte(text)})
	if err == nil || !strings.Contains(err.Error(), description) || state == isStored {
		t.Errorf("%s: readAck = %d, %v", id, state, err)
	}
	if isTooLarge := strings.HasSuffix(id, "10054"); (state == isRejected) != isTooLarge {
		t.Errorf("%s: state %d", id, state)
	}
	if isBusy := strings.HasSuffix(id, "10211"); (sink.RetryWait(err) > 0) != isBusy {
		t.Errorf("%s: wait %v", id, sink.RetryWait(err))
	}
}
