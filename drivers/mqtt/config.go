package mqtt

import (
	"time"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Config is one MQTT broker (MQTT 3.1.1).
type Config struct {
	URL       string          `yaml:"url"`        // tcp://, mqtt://, mqtts://, ssl://, ws:// or wss://HOST:PORT
	ClientID  string          `yaml:"client_id"`  // default sluice-{gateway}-{driver}
	Username  string          `yaml:"username"`   // "" for none
	Password  protocol.Secret `yaml:"password"`   //
	QoS       int             `yaml:"qos"`        // 0, 1 or 2, default 1
	Session   string          `yaml:"session"`    // persistent (default) or clean
	Retained  string          `yaml:"retained"`   // once (default), keep or ignore
	KeepAlive time.Duration   `yaml:"keep_alive"` // default 30s
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

// Device is one row of the operator's device list: the topics of one or many
// devices of one model.
type Device struct {
	Topic   string // pattern, such as plant/{area}/{device}/climate
	Name    string // device name when the topic does not capture {device}
	Profile string // the profile's name
	Decode  *payload.Profile
	Tags    []protocol.Tag // beside the tags that the topic captures
}
