package nats

import (
	"time"

	"sluice/protocol"
)

// Config is one NATS server or cluster.
type Config struct {
	URL      string          `yaml:"url"`      // nats:// or tls://HOST:PORT, several separated by commas
	Subject  string          `yaml:"subject"`  // template, default readings.{gateway}.{device}
	Stream   string          `yaml:"stream"`   // JetStream stream; "": core NATS
	Create   bool            `yaml:"create"`   // create the stream when it is missing
	Username string          `yaml:"username"` //
	Password protocol.Secret `yaml:"password"` //
	Token    protocol.Secret `yaml:"token"`    //
	Creds    string          `yaml:"creds"`    // path of a credentials file (JWT and seed)
	Window   int             `yaml:"window"`   // unresolved publishes at most, default 512
	Timeout  time.Duration   `yaml:"timeout"`  // for an acknowledgement, default 5s
	TLS      TLS             `yaml:"tls"`
}

// TLS names the files that secure a tls:// connection.
type TLS struct {
	CA   string `yaml:"ca"`   // PEM file of the authorities to trust
	Cert string `yaml:"cert"` // PEM file of the client certificate
	Key  string `yaml:"key"`  // PEM file of its key
}
