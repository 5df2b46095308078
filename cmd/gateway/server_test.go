package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/cmd/gateway/config"
	"sluice/pipeline"
)

// quietGateway is a gateway without drivers and sinks.
func quietGateway(t *testing.T) *gateway {
	c := pipeline.DefaultConfig()
	c.Dir = t.TempDir()
	p, err := pipeline.Open(c, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &gateway{name: "test", pipeline: p}
}

func ask(s *server, host, page string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, page, nil)
	r.Host = host
	s.http.Handler.ServeHTTP(answer, r)
	return answer
}

func TestServerAnswersToLocalhostOnly(t *testing.T) {
	s := newServer(config.HTTP{}, quietGateway(t))
	for host, want := range map[string]int{
		"localhost:9600": 200, "127.0.0.1:9600": 200, "[::1]:9600": 200, "127.1.2.3": 200,
		"evil.example:9600": 403, "192.168.1.4:9600": 403, "localhost.evil.example": 403,
	} {
		if answer := ask(s, host, "/readyz"); answer.Code != want {
			t.Errorf("host %s gets %d, want %d", host, answer.Code, want)
		}
	}
}

func TestProfilesAreServedOnlyWhenAskedFor(t *testing.T) {
	g := quietGateway(t)
	if code := ask(newServer(config.HTTP{}, g), "localhost", "/debug/pprof/").Code; code != 404 {
		t.Errorf("pprof answers %d although nobody asked for it", code)
	}
	if code := ask(newServer(config.HTTP{PProf: true}, g), "localhost", "/debug/pprof/").Code; code != 200 {
		t.Errorf("pprof answers %d", code)
	}
}

func TestServerOnlyReads(t *testing.T) {
	s := newServer(config.HTTP{}, quietGateway(t))
	for _, page := range []string{"/healthz", "/readyz", "/metrics"} {
		answer := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, page, strings.NewReader("x"))
		r.Host = "localhost"
		s.http.Handler.ServeHTTP(answer, r)
		if answer.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s gets %d", page, answer.Code)
		}
	}
}
