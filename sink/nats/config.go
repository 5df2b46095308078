package nats

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// Config is one NATS server or cluster.
type Config struct {
	URL      string          `yaml:"url"`      // nats:// or tls://HOST:PORT, several separated by commas
	Subject  string          `yaml:"subject"`  // template, default readings.{gateway}.{device}
	Stream   string          `yaml:"stream"`   // JetStream stream; "": core NATS
	Create   bool            `yaml:"create"`   // create the stream when it is missing
	Username string          `yaml:"username"` // "" for none
	Password protocol.Secret `yaml:"password"` // goes with username
	Token    protocol.Secret `yaml:"token"`    // in the place of username and password
	Creds    string          `yaml:"creds"`    // path of a credentials file (JWT and seed)
	Window   int             `yaml:"window"`   // unresolved publishes at most, default 512
	Timeout  time.Duration   `yaml:"timeout"`  // for an acknowledgement, default 5s
	TLS      sink.TLS        `yaml:"tls"`
}

// DefaultConfig returns the values that hold where the file is silent.
func DefaultConfig() Config {
	return Config{Subject: "readings.{gateway}.{device}", Window: 512, Timeout: 5 * time.Second}
}

// Validate reports what is wrong with c: the field's path in the file and the
// problem.
func (c *Config) Validate(report func(field, problem string)) {
	if problem := checkURLs(c.URL); problem != "" {
		report("url", problem)
	}
	if _, err := parseSubject(c.Subject); err != nil {
		report("subject", "is wrong: "+err.Error())
	}
	if strings.ContainsFunc(c.Stream, isUnfitForStream) {
		report("stream", fmt.Sprintf("is %q, want a name without blanks and . * > / \\", c.Stream))
	}
	if c.Create && c.Stream == "" {
		report("create", "is true without a stream: name it")
	}
	c.validateLogin(report)
	if c.Window < 1 || c.Window > 10_000 {
		report("window", fmt.Sprintf("is %d, want 1 to 10000", c.Window))
	}
	if c.Timeout < 10*time.Millisecond || c.Timeout > 10*time.Minute {
		report("timeout", fmt.Sprintf("is %v, want 10ms to 10m", c.Timeout))
	}
	c.TLS.Validate(report)
}

func (c *Config) validateLogin(report func(field, problem string)) {
	if c.Password != "" && c.Username == "" {
		report("username", "is required: the user of the password")
	}
	ways := 0
	for _, way := range []string{c.Username, string(c.Token), c.Creds} {
		if way != "" {
			ways++
		}
	}
	if ways > 1 {
		report("username", "stands beside another login, want only one of username, token and creds")
	}
}

func isUnfitForStream(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`.*>/\`, r)
}

// servers returns the addresses in the url field.
func servers(text string) []string {
	all := strings.Split(text, ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// checkURLs returns what is wrong with text, never quoting a password in it.
func checkURLs(text string) string {
	if text == "" {
		return "is required: nats:// or tls://HOST:PORT"
	}
	web := 0
	all := servers(text)
	for _, server := range all {
		u, err := url.Parse(server)
		switch {
		case err != nil:
			return "is not a URL, want nats:// or tls://HOST:PORT"
		case u.User != nil:
			return "holds a user, want it in username and password, or in token"
		case u.Host == "":
			return fmt.Sprintf("is %s, want nats:// or tls://HOST:PORT", protocol.QuoteURL(server))
		}
		switch u.Scheme {
		case "nats", "tls":
		case "ws", "wss":
			web++
		default:
			return fmt.Sprintf("is %s, want nats://, tls://, ws:// or wss://", protocol.QuoteURL(server))
		}
	}
	if web != 0 && web != len(all) {
		return "mixes ws:// with other addresses, want only one kind"
	}
	return ""
}
