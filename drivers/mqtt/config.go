package mqtt

import (
	"fmt"
	"time"

	"sluice/protocol"
)

// Config is one MQTT broker (MQTT 3.1.1).
type Config struct {
	URL       string          `yaml:"url"`        // mqtt:// (tcp://), mqtts:// (ssl://, tls://), ws:// or wss://HOST[:PORT]
	ClientID  string          `yaml:"client_id"`  // default sluice-{gateway}-{driver}
	Username  string          `yaml:"username"`   // "" for none
	Password  protocol.Secret `yaml:"password"`   // goes with username
	QoS       int             `yaml:"qos"`        // 0, 1 or 2, default 1
	Session   string          `yaml:"session"`    // persistent (default) or clean
	Retained  string          `yaml:"retained"`   // once (default), keep or ignore
	KeepAlive time.Duration   `yaml:"keep_alive"` // a quiet connection is tried this often, default 30s
	Timeout   time.Duration   `yaml:"timeout"`    // to connect, subscribe and write, default 10s
	TLS       TLS             `yaml:"tls"`
}

// TLS names the files that secure a connection; an mqtts:// URL alone trusts
// the system's certificate authorities.
type TLS struct {
	CA         string `yaml:"ca"`          // PEM file of the authorities to trust
	Cert       string `yaml:"cert"`        // PEM file of the client certificate
	Key        string `yaml:"key"`         // PEM file of its key
	ServerName string `yaml:"server_name"` // when it differs from the URL's host
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{
		QoS:       1,
		Session:   "persistent",
		Retained:  "once",
		KeepAlive: 30 * time.Second,
		Timeout:   10 * time.Second,
	}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem. It opens no file.
func (c *Config) Validate(report func(field, problem string)) {
	broker, err := parseURL(c.URL)
	if err != nil {
		report("url", err.Error())
	}
	if len(c.ClientID) > 65535 || !legalText(c.ClientID) {
		report("client_id", "holds a character that MQTT forbids or is longer than 65535 bytes")
	}
	if c.Password != "" && c.Username == "" {
		report("username", "is required: MQTT takes no password without one")
	}
	if c.QoS < 0 || c.QoS > 2 {
		report("qos", fmt.Sprintf("is %d, want 0, 1 or 2", c.QoS))
	}
	if c.Session != "persistent" && c.Session != "clean" {
		report("session", fmt.Sprintf("is %q, want persistent or clean", c.Session))
	}
	if c.Retained != "once" && c.Retained != "keep" && c.Retained != "ignore" {
		report("retained", fmt.Sprintf("is %q, want once, keep or ignore", c.Retained))
	}
	if c.KeepAlive < time.Second || c.KeepAlive > 65535*time.Second || c.KeepAlive%time.Second != 0 {
		report("keep_alive", fmt.Sprintf("is %v, want whole seconds from 1s to 18h", c.KeepAlive))
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > 5*time.Minute {
		report("timeout", fmt.Sprintf("is %v, want 100ms to 5m", c.Timeout))
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		report("tls.key", "and tls.cert are only of use together")
	}
	if c.TLS != (TLS{}) && err == nil && !broker.secure() {
		report("tls", fmt.Sprintf("is of no use with %s://, want mqtts:// or wss://", broker.url.Scheme))
	}
}
