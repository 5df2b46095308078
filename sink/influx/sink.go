// Package influx writes readings to InfluxDB through its v2 write API, which
// InfluxDB 1.8 serves too. A reading written twice is stored once, since a point
// is its measurement, tags and time.
package influx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"sluice/protocol"
	"sluice/sink"
)

var (
	_ sink.Sink      = (*Sink)(nil)
	_ sink.Connector = (*Sink)(nil)
)

// keptRoom bounds the buffers that a Sink keeps from one Write to the next.
const keptRoom = 4 << 20

// Options is what the gateway gives to every sink.
type Options struct {
	Gateway string       // the gateway's name, for templates
	Log     *slog.Logger // changes of state
}

// Sink writes to one bucket.
type Sink struct {
	cfg       Config
	log       *slog.Logger
	client    influxdb2.Client
	service   influxhttp.Service
	transport *http.Transport // its connections live until Close
	url       string

	encoder *encoder
	lines   []byte
	ends    []int // where the line of each reading ends in lines
	most    int   // bytes of lines in one request, 0 without a known limit

	zip    *gzip.Writer
	packed bytes.Buffer
	bodies bodies
}

// New returns the sink called name. It reads the TLS files and connects with the
// first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	encoder, err := newEncoder(o.Gateway, cfg)
	if err != nil {
		return nil, err
	}
	secure, err := cfg.TLS.Load()
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, log: o.Log.With("sink", name), encoder: encoder, zip: zip}
	s.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: cfg.Timeout}).DialContext,
		TLSClientConfig:     secure,
		TLSHandshakeTimeout: cfg.Timeout,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConns:        2,
	}
	options := influxdb2.DefaultOptions().SetApplicationName("sluice")
	options.HTTPOptions().SetHTTPDoer(roundTripper{s.transport})
	s.client = influxdb2.NewClientWithOptions(cfg.URL, cfg.Token.Reveal(), options)
	s.service = s.client.HTTPService()
	s.url = s.service.ServerAPIURL() + "write?" + url.Values{
		"org": {cfg.Org}, "bucket": {cfg.Bucket}, "precision": {"ns"},
	}.Encode()
	return s, nil
}

// roundTripper follows no redirection, which would lose the body or take the
// token elsewhere. Other than an http.Client it always closes the bodies.
type roundTripper struct{ *http.Transport }

func (t roundTripper) Do(r *http.Request) (*http.Response, error) { return t.RoundTrip(r) }

// Connect asks the server whether it is there. Whether it takes the token and
// has the bucket shows only when there is something to write.
func (s *Sink) Connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.service.ServerURL()+"ping", nil)
	if err != nil {
		return fmt.Errorf("connect to InfluxDB: %w", err)
	}
	resp, err := s.service.DoHTTPRequestWithResponse(req, nil)
	if err != nil {
		return fmt.Errorf("connect to InfluxDB: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusOK {
		return fmt.Errorf("connect to InfluxDB: %s%s", s.describe(resp), s.advice(resp))
	}
	return nil
}

// Write stores the readings. A reading without a metric that InfluxDB can hold
// is rejected; a request that is too large is halved.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	rejected := s.encode(readings)
	more, err := s.post(ctx, 0, len(readings))
	if err != nil {
		return err
	}
	if cap(s.lines) > keptRoom {
		s.lines = nil
	}
	if rejected = merge(rejected, more); len(rejected) > 0 {
		return &sink.PartialError{Rejected: rejected}
	}
	return nil
}

// Close closes the connections. It does not wait, there is nothing in flight.
func (s *Sink) Close() error {
	s.client.Close()
	s.transport.CloseIdleConnections()
	return nil
}

func (s *Sink) encode(readings []protocol.Reading) (rejected []sink.Rejection) {
	s.lines, s.ends = s.lines[:0], s.ends[:0]
	for i := range readings {
		var ok bool
		if s.lines, ok = s.encoder.appendLine(s.lines, &readings[i]); !ok {
			rejected = append(rejected, sink.Rejection{Index: i, Err: sink.Permanent(errNoField)})
		}
		s.ends = append(s.ends, len(s.lines))
	}
	return rejected
}

// merge returns the rejections of a and b, both ascending and without a common
// index, in ascending order.
func merge(a, b []sink.Rejection) []sink.Rejection {
	all := make([]sink.Rejection, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].Index < b[0].Index {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// post writes the lines of readings lo to hi-1, in halves where the server says
// that they are too many. It returns the readings that are too large alone.
func (s *Sink) post(ctx context.Context, lo, hi int) ([]sink.Rejection, error) {
	lines := s.linesOf(lo, hi)
	if len(lines) == 0 {
		return nil, nil
	}
	if hi-lo == 1 || s.most == 0 || len(lines) <= s.most {
		err := s.request(ctx, lines)
		if !errors.Is(err, errTooLarge) {
			return nil, err
		}
		if hi-lo == 1 {
			return []sink.Rejection{{Index: lo, Err: sink.Permanent(err)}}, nil
		}
		s.most = len(lines) / 2
		s.log.Warn("the server refuses large requests, sending smaller ones", "bytes", len(lines), "limit", s.most)
	}
	mid := (lo + hi) / 2
	left, err := s.post(ctx, lo, mid)
	if err != nil {
		return nil, err
	}
	right, err := s.post(ctx, mid, hi)
	return append(left, right...), err
}

func (s *Sink) linesOf(lo, hi int) []byte {
	if lo == hi {
		return nil
	}
	from := 0
	if lo > 0 {
		from = s.ends[lo-1]
	}
	return s.lines[from:s.ends[hi-1]]
}
