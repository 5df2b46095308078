package mqtt

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/protocol"
	"sluice/sink"
)

// Config is one MQTT broker (MQTT 3.1.1). Messages go out with QoS 1: QoS 0 has
// no acknowledgement, and so nothing that could be called delivered.
type Config struct {
	URL       string          `yaml:"url"`        // mqtt:// (tcp://), mqtts:// (ssl://, tls://), ws:// or wss://HOST[:PORT]
	Topic     string          `yaml:"topic"`      // template, default readings/{gateway}/{device}
	Retain    bool            `yaml:"retain"`     // the broker keeps the last message of each topic
	ClientID  string          `yaml:"client_id"`  // default sluice-{gateway}-{sink}
	Username  string          `yaml:"username"`   // "" for none
	Password  protocol.Secret `yaml:"password"`   // goes with username
	Window    int             `yaml:"window"`     // unacknowledged messages at most, default 100
	KeepAlive time.Duration   `yaml:"keep_alive"` // a quiet connection is tried this often, default 30s
	Timeout   time.Duration   `yaml:"timeout"`    // to connect, and for an acknowledgement, default 10s
	TLS       sink.TLS        `yaml:"tls"`
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{
		Topic:     "readings/{gateway}/{device}",
		Window:    100,
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
	if _, err := parseTopic(c.Topic); err != nil {
		report("topic", "is wrong: "+err.Error())
	}
	if len(c.ClientID) > longestText || !legalText(c.ClientID) {
		report("client_id", "holds a character that MQTT forbids or is longer than 65535 bytes")
	}
	if c.Password != "" && c.Username == "" {
		report("username", "is required: MQTT takes no password without one")
	}
	if c.Window < 1 || c.Window > 10_000 {
		report("window", fmt.Sprintf("is %d, want 1 to 10000", c.Window))
	}
	if c.KeepAlive < time.Second || c.KeepAlive > 65535*time.Second || c.KeepAlive%time.Second != 0 {
		report("keep_alive", fmt.Sprintf("is %v, want whole seconds from 1s to 18h", c.KeepAlive))
	}
	if c.Timeout < 10*time.Millisecond || c.Timeout > 10*time.Minute {
		report("timeout", fmt.Sprintf("is %v, want 10ms to 10m", c.Timeout))
	}
	c.TLS.Validate(report)
	if c.TLS != (sink.TLS{}) && err == nil && !broker.secure() {
		report("tls", fmt.Sprintf("is of no use with %s://, want mqtts:// or wss://", broker.url.Scheme))
	}
}

// longestText bounds a text in an MQTT packet.
const longestText = 65535

// legalText reports whether s may stand in an MQTT packet.
func legalText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
