package standin

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// Point is one line that was written.
type Point struct {
	Measurement string
	Tags        map[string]string
	Fields      map[string]any // float64, int64, uint64, bool, string
	Time        int64          // Unix nanoseconds
}

// TSDB is an InfluxDB v2 write endpoint.
type TSDB struct {
	point    func(Point)
	mu       sync.Mutex // one call of point at a time
	requests atomic.Int64
	lines    atomic.Int64

	listener net.Listener
	http     *http.Server
	serving  sync.WaitGroup
}

// NewTSDB starts an endpoint that calls point for every line, one at a time. A
// request with a line that is not line protocol is refused whole, with 400.
func NewTSDB(point func(Point)) (*TSDB, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start tsdb: %w", err)
	}
	t := &TSDB{point: point, listener: listener}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/write", t.write)
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"name":"influxdb","status":"pass"}`)
	})
	t.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	t.serving.Go(func() { _ = t.http.Serve(listener) }) // ends with Close
	return t, nil
}

// URL returns the endpoint's address, http://HOST:PORT.
func (t *TSDB) URL() string { return "http://" + t.listener.Addr().String() }

// Counts returns how many write requests and lines came.
func (t *TSDB) Counts() (requests, lines int64) { return t.requests.Load(), t.lines.Load() }

// Close stops the endpoint.
func (t *TSDB) Close() error {
	err := t.http.Close()
	t.serving.Wait()
	return err
}

func (t *TSDB) write(w http.ResponseWriter, r *http.Request) {
	t.requests.Add(1)
	if r.FormValue("bucket") == "" {
		refuse(w, http.StatusNotFound, "not found", "bucket name is missing")
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid", err.Error())
			return
		}
		body = z
	}
	points, err := parse(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	t.mu.Lock()
	for _, p := range points {
		t.lines.Add(1)
		t.point(p)
	}
	t.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// refuse answers in the form of InfluxDB's errors.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
}

func parse(body io.Reader) ([]Point, error) {
	var points []Point
	lines := lineprotocol.NewDecoder(body)
	for lines.Next() {
		p, err := parseLine(lines)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

func parseLine(d *lineprotocol.Decoder) (Point, error) {
	p := Point{Tags: map[string]string{}, Fields: map[string]any{}}
	name, err := d.Measurement()
	if err != nil {
		return Point{}, err
	}
	p.Measurement = string(name)
	for {
		key, value, err := d.NextTag()
		if err != nil {
			return Point{}, err
		}
		if key == nil {
			break
		}
		p.Tags[string(key)] = string(value)
	}
	for {
		key, value, err := d.NextField()
		if err != nil {
			return Point{}, err
		}
		if key == nil {
			break
		}
		p.Fields[string(key)] = value.Interface()
	}
	at, err := d.Time(lineprotocol.Nanosecond, time.Time{})
	if err != nil {
		return Point{}, err
	}
	p.Time = at.UnixNano()
	return p, nil
}
