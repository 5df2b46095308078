package influx_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/sinktest"
)

const token = "s3cr3t-token"

// serve returns a sink that writes to h.
func serve(t *testing.T, h http.HandlerFunc) sink.Sink {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg := configFor(server.URL)
	cfg.Token = token
	return opened(t, cfg)
}

// readings returns n readings of one device, each with its index as value.
func readings(n int) []protocol.Reading {
	device := &protocol.Device{Name: "s1", Profile: "climate"}
	all := make([]protocol.Reading, n)
	for i := range all {
		all[i] = protocol.Reading{
			Device: device, ReceivedTime: protocol.Timestamp(i + 1),
			Metrics: []protocol.Metric{{Name: "n", Value: protocol.Int(int64(i))}},
		}
	}
	return all
}

func linesOf(t *testing.T, r *http.Request) []string {
	t.Helper()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return nil
		}
		body = zip
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestAnswers(t *testing.T) {
	date := time.Now().Add(5 * time.Minute).UTC().Format(http.TimeFormat)
	tests := []struct {
		name      string
		status    int
		header    [2]string
		body      string
		want      string // in the error's text, "" for success
		permanent bool
		least     time.Duration // of the wait
		most      time.Duration
	}{
		{name: "stored", status: 204},
		{name: "login page", status: 200, header: [2]string{"Content-Type", "text/html"}, body: "<html>log in", want: "200 OK: want 204; url does not lead to an InfluxDB"},
		{name: "other success", status: 202, want: "want 204"},
		{name: "bad line", status: 400, header: [2]string{"Content-Type", "application/json"}, body: `{"code":"invalid","message":"unable to parse","err":"x","StatusCode":204}`, want: "400 Bad Request (unable to parse)", permanent: true},
		{name: "bad line of 1.8", status: 400, body: `{"error":"partial write"}`, want: "(partial write)", permanent: true},
		{name: "unprocessable", status: 422, header: [2]string{"X-Influxdb-Version", "2.7"}, want: "422 Unprocessable Entity", permanent: true},
		{name: "bad line of an old server", status: 500, body: `{"error":"field type conflict: x"}`, want: "(field type conflict: x)", permanent: true},
		{name: "a line about timeouts", status: 400, body: `{"error":"partial write: field type conflict: input field \"timeout\" on measurement \"missing bucket\" is type float, already exists as type string dropped=1"}`, want: "timeout", permanent: true},
		{name: "bad request", status: 400, body: `{"code":"invalid","message":"missing bucket value"}`, want: "(missing bucket value): correct org, bucket and precision"},
		{name: "bad precision", status: 400, body: `{"error":"invalid precision \"x\" (use n, u, ms, s, m or h)"}`, want: "correct org, bucket and precision"},
		{name: "no policy", status: 500, body: `{"error":"retention policy not found: x"}`, want: "500"},
		{name: "full disk", status: 400, body: `{"error":"partial write: write /data/0002: no space left on device dropped=1"}`, want: "no space left on device"},
		{name: "bad gateway", status: 400, header: [2]string{"Content-Type", "text/html"}, body: "<html>400", want: "400 Bad Request: url does not lead to an InfluxDB"},
		{name: "http to https", status: 400, header: [2]string{"Content-Type", "text/plain"}, body: "Client sent an HTTP request to an HTTPS server.\n", want: "(Client sent an HTTP request to an HTTPS server.): url does not lead"},
		{name: "token", status: 401, body: `{"message":"token ` + token + ` is unknown"}`, want: "(token (secret) is unknown): the server does not accept the token"},
		{name: "rights", status: 403, want: "the token may not write to this bucket"},
		{name: "bucket", status: 404, want: `create the bucket in organization "plant"`},
		{name: "redirected", status: 307, header: [2]string{"Location", "/elsewhere"}, want: "url is redirected"},
		{name: "broken", status: 500, body: strings.Repeat("x", 1<<20), want: "500 Internal Server Error"},
		{name: "busy", status: 503, want: "503 Service Unavailable"},
		{name: "busy for seconds", status: 503, header: [2]string{"Retry-After", "7"}, want: "503", least: 7 * time.Second, most: 7 * time.Second},
		{name: "limited until", status: 429, header: [2]string{"Retry-After", date}, want: "429", least: 4 * time.Minute, most: 5 * time.Minute},
		{name: "limited for ever", status: 429, header: [2]string{"Retry-After", "4000000000"}, want: "429", least: 15 * time.Minute, most: 15 * time.Minute},
		{name: "limited until yesterday", status: 429, header: [2]string{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"}, want: "429"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Token "+token || r.URL.Path != "/api/v2/write" {
					t.Errorf("request to %s with authorization %q", r.URL, r.Header.Get("Authorization"))
				}
				if tt.header[0] != "" {
					w.Header().Set(tt.header[0], tt.header[1])
				}
				w.WriteHeader(tt.status)
				if tt.status != 204 {
					fmt.Fprint(w, tt.body)
				}
			})
			err := out.Write(t.Context(), readings(3))
			if tt.want == "" {
				if err != nil {
					t.Errorf("Write = %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), token) || len(err.Error()) > 500 {
				t.Fatalf("Write = %v, want %q in it", err, tt.want)
			}
			if sink.IsPermanent(err) != tt.permanent {
				t.Errorf("permanent: %v, want %v", !tt.permanent, tt.permanent)
			}
			if wait := sink.RetryWait(err); wait < tt.least || wait > tt.most {
				t.Errorf("wait %v, want %v to %v", wait, tt.least, tt.most)
			}
		})
	}
}

func TestReadingsThatCannotBeStoredAreNamed(t *testing.T) {
	var got []string
	out := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, linesOf(t, r)...)
		w.WriteHeader(http.StatusNoContent)
	})
	batch := readings(4)
	batch[0].Metrics[0].Value = protocol.Float(math.NaN())
	batch[2].Metrics = nil
	batch[3].Metrics = append(batch[3].Metrics, protocol.Metric{Name: "x"}, protocol.Metric{Name: "y", Value: protocol.Float(math.Inf(-1))})
	err := out.Write(t.Context(), batch)
	sinktest.WantRejected(t, err, 0, 2, 3)
	if want := `"n" is NaN, which line protocol cannot hold`; !strings.Contains(err.Error(), want) {
		t.Errorf("Write = %v, want %s in it", err, want)
	}
	if want := []string{"climate,device=s1,gateway=plant-7 n=1i 2", "climate,device=s1,gateway=plant-7 n=3i 4"}; !slices.Equal(got, want) {
		t.Errorf("written: %q, want %q", got, want)
	}
	got = nil
	sinktest.WantRejected(t, out.Write(t.Context(), batch[:1]), 0)
	if got != nil {
		t.Errorf("written: %q, want no request for nothing", got)
	}
}

func TestLargeRequestsAreHalved(t *testing.T) {
	stored := map[string]int{}
	requests := 0
	out := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		lines := linesOf(t, r)
		if len(strings.Join(lines, "\n")) > 400 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		for _, line := range lines {
			stored[line]++
		}
		w.WriteHeader(http.StatusNoContent)
	})
	batch := readings(30)
	batch[5].Metrics = nil
	batch[17].Metrics[0] = protocol.Metric{Name: "text", Value: protocol.String(strings.Repeat("x", 600))}
	sinktest.WantRejected(t, out.Write(t.Context(), batch), 5, 17)
	if len(stored) != 28 {
		t.Errorf("stored %d lines, want 28", len(stored))
	}
	requests = 0
	if err := out.Write(t.Context(), readings(30)); err != nil {
		t.Fatal(err)
	}
	if len(stored) != 30 || requests > 8 {
		t.Errorf("stored %d lines with %d requests, want 30 with the limit remembered", len(stored), requests)
	}
}

func TestWithoutGzip(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if enc := r.Header.Get("Content-Encoding"); enc != "" {
			t.Errorf("encoding %q", enc)
		}
		if lines := linesOf(t, r); len(lines) != 2 || r.ContentLength < 10 {
			t.Errorf("%d bytes: %q", r.ContentLength, lines)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	cfg := configFor(server.URL)
	cfg.Gzip = false
	if err := opened(t, cfg).Write(t.Context(), readings(2)); err != nil {
		t.Error(err)
	}
}

// A server may answer before it has read the request; the next Write must not
// change what the client still sends.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	out := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	batch := readings(20_000)
	for range 5 {
		if err := out.Write(t.Context(), batch); err == nil {
			t.Error("Write = nil")
		}
	}
}
