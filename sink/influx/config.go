package influx

import (
	"fmt"
	"net/url"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/lineproto"
)

// Config is one InfluxDB v2 write endpoint (also served by InfluxDB 1.8).
type Config struct {
	URL         string          `yaml:"url"`         // http:// or https://HOST:PORT
	Org         string          `yaml:"org"`         // name or id; InfluxDB 1.8 ignores it
	Bucket      string          `yaml:"bucket"`      // InfluxDB 1.8: DATABASE or DATABASE/POLICY
	Token       protocol.Secret `yaml:"token"`       // InfluxDB 1.8: USER:PASSWORD or ""
	Gzip        bool            `yaml:"gzip"`        // requests are compressed, default true
	Timeout     time.Duration   `yaml:"timeout"`     // of one request, default 10s
	Concurrency int             `yaml:"concurrency"` // requests at a time, default 1; a device's readings go one after another
	TLS         sink.TLS        `yaml:"tls"`
	lineproto.Format
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{Format: lineproto.DefaultFormat(), Gzip: true, Timeout: 10 * time.Second, Concurrency: 1}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if problem := checkURL(c.URL); problem != "" {
		report("url", problem)
	}
	if c.Org == "" {
		report("org", "is required: name or id of the organization (for InfluxDB 1.8 any word)")
	}
	if c.Bucket == "" {
		report("bucket", "is required: name of the bucket (for InfluxDB 1.8 the database)")
	}
	c.Format.Validate(report)
	if c.Timeout < 10*time.Millisecond || c.Timeout > 10*time.Minute {
		report("timeout", fmt.Sprintf("is %v, want 10ms to 10m", c.Timeout))
	}
	if c.Concurrency < 1 || c.Concurrency > 32 {
		report("concurrency", fmt.Sprintf("is %d, want 1 to 32", c.Concurrency))
	}
	c.TLS.Validate(report)
}

// checkURL returns what is wrong with text, never quoting a password in it.
func checkURL(text string) string {
	if text == "" {
		return "is required: http:// or https://HOST:PORT"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not a URL, want http:// or https://HOST:PORT"
	case u.User != nil:
		return "holds a user, want it in token as USER:PASSWORD"
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Sprintf("is %s, want http:// or https://HOST:PORT", protocol.QuoteURL(text))
	case u.RawQuery != "" || u.Fragment != "":
		return "has more than host and path, want http:// or https://HOST:PORT"
	}
	return ""
}
