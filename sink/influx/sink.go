// Package influx writes readings to InfluxDB through its v2 write API, which
// InfluxDB 1.8 serves too. A reading written twice is stored once, since a point
// is its measurement, tags and time.
package influx

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"sluice/protocol"
	"sluice/sink"
)

var (
	_ sink.Sink      = (*Sink)(nil)
	_ sink.Connector = (*Sink)(nil)
	_ sink.Meter     = (*Sink)(nil)
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

	workers []*worker    // as many requests go at a time
	seed    maphash.Seed // which device is whose
	most    atomic.Int64 // bytes of lines in one request, 0 without a known limit
	traffic
}

// New returns the sink called name. It reads the TLS files and connects with the
// first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	secure, err := cfg.TLS.Load()
	if err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, log: o.Log.With("sink", name), seed: maphash.MakeSeed()}
	for range cfg.Concurrency {
		w, err := newWorker(s, o.Gateway)
		if err != nil {
			return nil, err
		}
		s.workers = append(s.workers, w)
	}
	s.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         s.meter((&net.Dialer{Timeout: cfg.Timeout}).DialContext),
		TLSClientConfig:     secure,
		TLSHandshakeTimeout: cfg.Timeout,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConns:        cfg.Concurrency + 1,
		MaxIdleConnsPerHost: cfg.Concurrency + 1,
	}
	options := influxdb2.DefaultOptions().SetApplicationName("sluice")
	options.HTTPOptions().SetHTTPDoer(roundTripper{s.transport})
	s.client = influxdb2.NewClientWithOptions(cfg.URL, cfg.Token.Reveal(), options)
	s.service = s.client.HTTPService()
	s.url = s.service.ServerAPIURL() + "write?" + url.Values{
		"org": {cfg.Org}, "bucket": {cfg.Bucket}, "precision": {cfg.Precision},
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
		a := readAnswer(resp)
		return fmt.Errorf("connect to InfluxDB: %s%s", s.describe(a), s.advice(a))
	}
	return nil
}

// Write stores the readings. Rejected are those that have no value which
// InfluxDB can hold, those of which a metric was left out for that (the others of
// it are stored), those that the server names as wrong and those too large for
// it. A request that is too large is halved; lines that the server names are taken
// out, and the rest is sent again, for what is said to be stored may not be.
//
// With a concurrency above 1 every device has its worker, so that a series is
// written in order, and Write returns when all of them are done.
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	if len(s.workers) == 1 {
		return s.workers[0].write(ctx, readings)
	}
	return s.share(ctx, readings)
}

// Close closes the connections. It does not wait, there is nothing in flight.
func (s *Sink) Close() error {
	s.client.Close()
	s.transport.CloseIdleConnections()
	return nil
}
