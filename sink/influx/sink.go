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
	"sluice/sink/lineproto"
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

	batch batch
	most  int // bytes of lines in one request, 0 without a known limit

	zip    *gzip.Writer
	packed bytes.Buffer
	bodies bodies
	traffic
}

// New returns the sink called name. It reads the TLS files and connects with the
// first Write.
func New(name string, cfg Config, o Options) (*Sink, error) {
	encoder, err := lineproto.New(o.Gateway, cfg.Format)
	if err != nil {
		return nil, err
	}
	secure, err := cfg.TLS.Load()
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewWriterLevel(io.Discard, gzipLevel)
	if err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, log: o.Log.With("sink", name), batch: batch{encoder: encoder}, zip: zip}
	s.transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         s.meter((&net.Dialer{Timeout: cfg.Timeout}).DialContext),
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
func (s *Sink) Write(ctx context.Context, readings []protocol.Reading) error {
	s.batch.encode(readings)
	if err := s.post(ctx, 0, len(readings)); err != nil {
		return err
	}
	return s.batch.verdict()
}

// Close closes the connections. It does not wait, there is nothing in flight.
func (s *Sink) Close() error {
	s.client.Close()
	s.transport.CloseIdleConnections()
	return nil
}

// namings is how often a request is sent again without lines that the server has
// named. A server that names them one by one would take longer than a Write may;
// then the delivery goes on to look for them in halves.
const namings = 4

// post writes the lines of readings lo to hi-1, in halves where the server says
// that they are too many.
func (s *Sink) post(ctx context.Context, lo, hi int) error {
	for round := 0; ; round++ {
		lines := s.batch.linesOf(lo, hi)
		if len(lines) == 0 {
			return nil
		}
		if hi-lo > 1 && s.most > 0 && len(lines) > s.most {
			return s.halve(ctx, lo, hi)
		}
		err := s.request(ctx, lines)
		var refused *refusal
		switch {
		case errors.As(err, &refused):
			named := refused.answer.culprits(s.batch.split(lo, hi))
			if len(named) == 0 || round == namings {
				return err
			}
			s.batch.reject(lo, hi, named, s.cfg.Bucket)
		case !errors.Is(err, errTooLarge):
			return err
		case hi-lo == 1:
			s.batch.rejectAlone(lo, err)
			return nil
		default:
			s.most = len(lines) / 2
			s.log.Warn("the server refuses large requests, sending smaller ones", "bytes", len(lines), "limit", s.most)
			return s.halve(ctx, lo, hi)
		}
	}
}

func (s *Sink) halve(ctx context.Context, lo, hi int) error {
	mid := (lo + hi) / 2
	if err := s.post(ctx, lo, mid); err != nil {
		return err
	}
	return s.post(ctx, mid, hi)
}
