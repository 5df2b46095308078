package mqtt

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// asker replies the same again and again.
type asker struct{ topic string }

func (a asker) Reply() (string, []byte, bool) { return a.topic, []byte("again"), a.topic != "" }

func TestRepliesAreDroppedWhenNobodyTakesThem(t *testing.T) {
	var log strings.Builder
	var dropped atomic.Uint64
	r := newReplies(slog.New(slog.NewTextHandler(&log, nil)), &dropped)
	r.take(nil)
	r.take(asker{})
	for i := range maxReplies + 5 {
		r.take(asker{fmt.Sprint("t", i)})
	}
	if len(r.queue) != maxReplies || dropped.Load() != 5 || strings.Count(log.String(), "dropped") != 1 {
		t.Errorf("%d wait, logged %q", len(r.queue), log.String())
	}
}

// writes counts the packets written and stops or fails after them.
type writes struct {
	bytes.Buffer
	left int
	then func() error
}

func (w *writes) Write(p []byte) (int, error) {
	if w.left--; w.left == 0 {
		if err := w.then(); err != nil {
			return 0, err
		}
	}
	return w.Buffer.Write(p)
}

func TestRepliesAreWritten(t *testing.T) {
	r := newReplies(slog.New(slog.DiscardHandler), new(atomic.Uint64))
	r.take(asker{"spBv1.0/g/NCMD/n"})
	r.take(asker{"b"})
	stop := make(chan struct{})
	w := &writes{left: 2, then: func() error { close(stop); return nil }}
	if err := r.run(w, stop); err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"spBv1.0/g/NCMD/n", "b"} {
		p, err := packets.ReadPacket(w)
		m, ok := p.(*packets.PublishPacket)
		if err != nil || !ok || m.TopicName != topic || string(m.Payload) != "again" || m.Qos != 0 || m.Retain {
			t.Errorf("wrote %v, %v", p, err)
		}
	}
	r.take(asker{"c"})
	gone := errors.New("gone")
	if err := r.run(&writes{left: 1, then: func() error { return gone }}, nil); !errors.Is(err, gone) {
		t.Errorf("run returned %v, want %v", err, gone)
	}
}
