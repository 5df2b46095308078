package sinktest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Line is a TCP line to a far end that can be made to fail. It keeps its address.
type Line struct {
	server *toxiproxy.ApiServer // never listens: only its proxies are used
	proxy  *toxiproxy.Proxy
}

// Faults of a Line, in the terms of toxiproxy.
const (
	swallowSent     = `{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`
	swallowAnswers  = `{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`
	dropFirstAnswer = `{"type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 0}}`
	delayAnswers    = `{"type": "latency", "stream": "downstream", "attributes": {"latency": %d}}`
	closeAfterBytes = `{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": %d}}`
)

// StartLine starts a line to target, HOST:PORT, that works. It ends with the test.
func StartLine(t testing.TB, target string) *Line {
	t.Helper()
	l := &Line{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	l.start(t, "127.0.0.1:0", target)
	t.Cleanup(l.Cut)
	return l
}

// start begins anew. The faults of a proxy are never taken from it: toxiproxy
// can wait for ever for one whose connection is just ending.
func (l *Line) start(t testing.TB, addr, target string) {
	t.Helper()
	l.proxy = toxiproxy.NewProxy(l.server, "line", addr, target)
	if err := l.proxy.Start(); err != nil {
		t.Errorf("start line to %s: %v", target, err)
	}
}

// Addr returns HOST:PORT.
func (l *Line) Addr() string { return l.proxy.Listen }

// Cut closes all connections and refuses new ones.
func (l *Line) Cut() { l.proxy.Stop() }

// Mend makes the line work again. Connections over the bad one are closed.
func (l *Line) Mend(t testing.TB) {
	t.Helper()
	l.proxy.Stop()
	l.start(t, l.proxy.Listen, l.proxy.Upstream)
}

// Freeze makes the line swallow everything, on its connections and on new ones.
func (l *Line) Freeze(t testing.TB) {
	t.Helper()
	l.spoil(t, swallowSent)
	l.spoil(t, swallowAnswers)
}

// CloseAfter makes each connection end when so many more bytes were sent over it.
func (l *Line) CloseAfter(t testing.TB, bytes int) {
	t.Helper()
	l.spoil(t, fmt.Sprintf(closeAfterBytes, bytes))
}

// LoseAnswer makes each connection end instead of its next answer.
func (l *Line) LoseAnswer(t testing.TB) {
	t.Helper()
	l.spoil(t, dropFirstAnswer)
}

func (l *Line) spoil(t testing.TB, toxic string) {
	t.Helper()
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatalf("spoil line with %s: %v", toxic, err)
	}
}
