package influx

import (
	"time"

	"sluice/protocol"
)

// Config is one InfluxDB v2 write endpoint (also served by InfluxDB 1.8).
type Config struct {
	URL         string            `yaml:"url"`         // http:// or https://HOST:PORT
	Org         string            `yaml:"org"`         // name or id; InfluxDB 1.8 ignores it
	Bucket      string            `yaml:"bucket"`      // InfluxDB 1.8: DATABASE or DATABASE/POLICY
	Token       protocol.Secret   `yaml:"token"`       // InfluxDB 1.8: USER:PASSWORD or ""
	Measurement string            `yaml:"measurement"` // template, default {profile}
	Tags        map[string]string `yaml:"tags"`        // further tags, the values are templates
	Gzip        bool              `yaml:"gzip"`        // default true
	Timeout     time.Duration     `yaml:"timeout"`     // of one request, default 10s
	TLS         TLS               `yaml:"tls"`
}

// TLS names the files that secure an https:// connection.
type TLS struct {
	CA   string `yaml:"ca"`   // PEM file of the authorities to trust
	Cert string `yaml:"cert"` // PEM file of the client certificate
	Key  string `yaml:"key"`  // PEM file of its key
}
