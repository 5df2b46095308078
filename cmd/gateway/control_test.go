package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/pipeline"
)

// controlled is a gateway without drivers and sinks that takes commands.
type controlled struct {
	*control
	dir  string
	stop func()
}

// controlledGateway runs on a journal of n readings.
func controlledGateway(t *testing.T, n int) controlled {
	t.Helper()
	c := pipeline.DefaultConfig()
	c.Dir = t.TempDir()
	if n > 0 {
		if err := fill(c.Dir, n); err != nil {
			t.Fatal(err)
		}
	}
	p, err := pipeline.Open(c, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{name: "test", log: slog.New(slog.DiscardHandler), pipeline: p}
	socket, err := openControl(c.Dir, g)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx, socket.run) }()
	stopped := false
	stop := func() {
		cancel()
		if stopped {
			return
		}
		stopped = true
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return controlled{socket, c.Dir, stop}
}

// post sends a request to the socket.
func (c controlled) post(t *testing.T, method, page, body string) (status int, text string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return dialControl(c.dir) },
		DisableKeepAlives: true,
	}}
	r, err := http.NewRequest(method, "http://gateway"+page, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

func TestSocketIsForOwnerAndGroup(t *testing.T) {
	c := controlledGateway(t, 0)
	info, err := os.Stat(filepath.Join(c.dir, socketName))
	if err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	c.stop()
	names, err := filepath.Glob(filepath.Join(c.dir, "sluice.*"))
	if err != nil || len(names) > 0 {
		t.Errorf("%v stays behind, %v", names, err)
	}
}

func TestSocketTakesOrdersAlone(t *testing.T) {
	c := controlledGateway(t, 100)
	for _, r := range []struct {
		method, page, body string
		status             int
		says               string
	}{
		{"POST", "/journal/ls", `{}`, 200, `"running":true`},
		{"GET", "/journal/ls", ``, 404, "knows no GET /journal/ls"},
		{"POST", "/journal/fly", `{}`, 404, `knows no journal command \"fly\"`},
		{"POST", "/", `{}`, 404, "knows no POST /"},
		{"POST", "/journal/ls/x", `{}`, 404, "knows no POST /journal/ls/x"},
		{"POST", "/journal/export", `{"sicne":5}`, 400, `unknown field \"sicne\"`},
		{"POST", "/journal/export", `{"from":-5}`, 400, "cannot read the order"},
		{"POST", "/journal/export", ``, 400, "EOF"},
		{"POST", "/journal/export", `[`, 400, "cannot read the order"},
		{"POST", "/journal/export", `{"device":"` + strings.Repeat("x", maxOrder) + `"}`, 400, "too large"},
		{"POST", "/journal/replay", `{}`, 200, ""},
		{"POST", "/journal/trim", `{}`, 200, ""},
	} {
		status, text := c.post(t, r.method, r.page, r.body)
		if status != r.status || !strings.Contains(text, r.says) {
			t.Errorf("%s %s %.40s: %d %s, want %d %s", r.method, r.page, r.body, status, text, r.status, r.says)
		}
	}
}

func TestOnlySoManyOrdersAtATime(t *testing.T) {
	c := controlledGateway(t, 0)
	for range maxOrders {
		c.slots <- struct{}{}
	}
	if status, text := c.post(t, "POST", "/journal/ls", `{}`); status != http.StatusServiceUnavailable || !strings.Contains(text, "already") {
		t.Errorf("%d %s", status, text)
	}
	for range maxOrders {
		<-c.slots
	}
	if status, _ := c.post(t, "POST", "/journal/ls", `{}`); status != 200 {
		t.Errorf("%d when there is room again", status)
	}
}

// TestStoppingGatewayBreaksAnswersOff has a client that does not read on.
func TestStoppingGatewayBreaksAnswersOff(t *testing.T) {
	c := controlledGateway(t, 20_000)
	conn, err := dialControl(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	first := make(chan struct{}) // closed when the first part of the answer has come
	on := make(chan struct{})    // closed when the gateway has stopped
	out, in := io.Pipe()
	go func() {
		r := bufio.NewReader(out)
		_, _ = r.ReadString('\n')
		close(first)
		<-on
		_, _ = io.Copy(io.Discard, r)
	}()
	sent := make(chan error, 1)
	go func() { sent <- send(context.Background(), conn, &exportOrder{}, &answer{out: in}) }()
	<-first
	c.stop()
	close(on)
	if err := <-sent; err == nil || !strings.Contains(err.Error(), "gateway") {
		t.Errorf("export ends with %v", err)
	}
	in.Close()
}

func TestAnswerThatBreaksOffIsNoAnswer(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"in the middle":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(pieces{w}, "{"); panic(http.ErrAbortHandler) },
		"at once":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"without trailer": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "{}") },
		"other program":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "what?", http.StatusTeapot) },
	} {
		server := httptest.NewServer(handler)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := send(t.Context(), conn, &lsOrder{}, &answer{out: io.Discard}); err == nil {
			t.Errorf("%s: no error", name)
		}
		server.Close()
	}
}

func TestOutcomesTravelWhole(t *testing.T) {
	for _, err := range []error{nil, toldError{exitFailure}, usageError{fmt.Errorf("grün\n100%%")}, fmt.Errorf("x")} {
		text, e := json.Marshal(outcomeOf(err, []string{"note"}))
		if e != nil {
			t.Fatal(e)
		}
		a := &answer{}
		got := a.end(text)
		if fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", err, err) && fmt.Sprint(err) != "x" || exitOf(got) != exitOf(err) || len(a.notes) != 1 {
			t.Errorf("%#v became %#v", err, got)
		}
	}
}

func exitOf(err error) int { return outcomeOf(err, nil).Exit }

func TestSocketsThatCannotBe(t *testing.T) {
	g := quietGateway(t)
	long := filepath.Join(t.TempDir(), strings.Repeat("x", maxSocket))
	if err := os.Mkdir(long, 0o750); err != nil {
		t.Fatal(err)
	}
	if _, err := openControl(long, g); err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := dialControl(long); err == nil {
		t.Error("a long path is dialled")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, socketName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openControl(dir, g); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("a file of that name: %v", err)
	}
}
