package influx_test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/sink"
)

// answerWith returns the URL of a server that reads each request and answers
// with these bytes, whatever they are, and then hangs up.
func answerWith(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					linesOf(t, r)
					_, _ = conn.Write([]byte(answer)) // the client may have hung up
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

// No answer that cannot be read counts as success, or as the readings' fault.
func TestGarbledAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":              "",
		"garbage":              "\x00\xff\x16\x03 garbage\r\n\r\n",
		"half a status":        "HTTP/1.1 2",
		"half a header":        "HTTP/1.1 204 No Content\r\nDate: Mon",
		"no such status":       "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
		"another protocol":     "-ERR unknown command\r\n",
		"half a page":          "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<html>",
		"a header without end": "HTTP/1.1 204 No Content\r\nX: " + strings.Repeat("x", 2<<20),
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configFor(answerWith(t, answer))
			cfg.Timeout = 5 * time.Second
			err := opened(t, cfg).Write(t.Context(), readings(3))
			if err == nil || sink.IsPermanent(err) || len(err.Error()) > 1000 {
				t.Errorf("Write = %v, want an error that invites a retry", err)
			}
		})
	}
}
