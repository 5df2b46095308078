package mqtt

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"sluice/protocol"
)

// broker is where and how to connect.
type broker struct {
	url  *url.URL
	host string // host:port
}

const wantURL = "want mqtt://HOST:PORT, mqtts://, ws:// or wss://"

// parseURL reads a broker's URL. Its errors never show credentials.
func parseURL(s string) (broker, error) {
	if s == "" {
		return broker{}, errors.New("is required: " + wantURL)
	}
	u, err := url.Parse(s)
	if err != nil {
		return broker{}, fmt.Errorf("is %s, %s", protocol.QuoteURL(s), wantURL)
	}
	if u.User != nil {
		return broker{}, errors.New("holds credentials: write them as username and password")
	}
	b := broker{url: u}
	port, known := map[string]string{
		"mqtt": "1883", "tcp": "1883", "mqtts": "8883", "ssl": "8883", "tls": "8883", "ws": "80", "wss": "443",
	}[u.Scheme]
	if !known || u.Hostname() == "" {
		return broker{}, fmt.Errorf("is %s, %s", protocol.QuoteURL(s), wantURL)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if !b.websocket() && strings.Trim(u.Path, "/") != "" {
		return broker{}, fmt.Errorf("is %s, but only ws:// and wss:// have a path", protocol.QuoteURL(s))
	}
	b.host = net.JoinHostPort(u.Hostname(), port)
	return b, nil
}

// String returns the address for logs and errors.
func (b broker) String() string { return b.url.Scheme + "://" + b.host }

func (b broker) secure() bool {
	switch b.url.Scheme {
	case "mqtts", "ssl", "tls", "wss":
		return true
	}
	return false
}

func (b broker) websocket() bool { return b.url.Scheme == "ws" || b.url.Scheme == "wss" }
