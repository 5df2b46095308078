package nats_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

var seed = flag.Uint64("seed", 1, "of TestModel, 0: any")

// slot is what a delivery keeps: its place in both ranges and what the sink
// remembered then.
type slot struct {
	at     [2]int
	memory []byte
}

// model delivers two ranges, old and new readings, to a hub where everything
// fails that can.
type model struct {
	*hub
	random *rand.Rand
	ranges [2][]protocol.Reading
	at     [2]int
	slots  []slot // the latest last
}

// Whatever happens, every reading is stored once: by a stream that is read back
// after every fault, and by one that recognises most of what comes twice.
func TestModel(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"read back": 10 * time.Second, "recognised": recognised / 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chosen := *seed
			if chosen == 0 {
				chosen = rand.Uint64()
			}
			m := &model{hub: startHub(t, nil), random: rand.New(rand.NewPCG(chosen, 0)), slots: []slot{{}}}
			m.config.Timeout = timeout
			m.fill(false)
			m.restart()
			m.ranges = [2][]protocol.Reading{readings("s1", 1, 400), readings("s2", 1001, 400)}
			for m.at[0] < len(m.ranges[0]) || m.at[1] < len(m.ranges[1]) {
				m.step()
			}
			m.wantOnce(m.ranges[0], m.ranges[1])
			m.wantDuplicated(0)
			if t.Failed() {
				t.Logf("seed %d\n%s", chosen, &m.logged)
			}
		})
	}
}

func (m *model) step() {
	switch m.random.IntN(12) {
	case 0:
		m.outlast()
	case 1:
		m.returnTo(m.slots[m.random.IntN(len(m.slots))])
	case 2:
		m.fill(true)
		m.write()
		m.fill(false)
	case 3, 4:
		m.connect()
		m.line.breakAfter(m.random.IntN(30_000))
		m.write()
	case 5, 6:
		m.connect()
		m.line.breakAfter(m.random.IntN(30_000))
		m.line.loseAnswers()
		m.write()
	default:
		m.write()
	}
}

// connect makes sure that a fault of the line meets a Write.
func (m *model) connect() {
	m.await("the line to return", func() bool { return m.out.Connect(m.ctx) == nil })
}

// write tries a batch of one of the ranges.
func (m *model) write() {
	which := m.random.IntN(2)
	rest := m.ranges[which][m.at[which]:]
	batch := rest[:min(len(rest), 1+m.random.IntN(150))]
	var err error
	m.await("the line to return", func() bool {
		ctx, cancel := context.WithTimeout(m.ctx, 200*time.Millisecond)
		defer cancel()
		err = m.out.Write(ctx, batch)
		return err == nil || !strings.HasPrefix(err.Error(), "connect to")
	})
	m.line.mend()
	if err != nil {
		m.t.Logf("%d of range %d from %d: %v", len(batch), which, m.at[which], err)
		return
	}
	m.at[which] += len(batch)
	m.slots = append(m.slots, slot{m.at, slices.Clone(m.out.Remember())})
	m.slots = m.slots[max(0, len(m.slots)-3):] // an older one is not found after a crash
}

// returnTo begins again where the delivery was when it kept that slot.
func (m *model) returnTo(s slot) {
	m.at, m.memory, m.slots = s.at, s.memory, []slot{s}
	m.restart()
}

// fill makes the stream refuse what is new, after some more messages.
func (m *model) fill(full bool) {
	m.createStream(func(c *jetstream.StreamConfig) {
		if m.config.Timeout < recognised {
			c.Duplicates = 2 * recognised
		}
		if full {
			c.Discard, c.MaxMsgs = jetstream.DiscardNew, int64(m.state().Msgs)+1+m.random.Int64N(100)
		}
	})
}
