package mqtt

import (
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		want string // field and part of the problem, "" for none
	}{
		{"defaults", func(*Config) {}, ""},
		{"everything", func(c *Config) {
			c.URL, c.Username, c.Password, c.ClientID, c.Retain = "wss://h/mqtt", "gw", "x", "a b", true
			c.TLS.CA, c.TLS.Cert, c.TLS.Key = "ca", "c", "k"
		}, ""},
		{"no url", func(c *Config) { c.URL = "" }, "url is required"},
		{"other url", func(c *Config) { c.URL = "http://h" }, `url is "http://h", want mqtt://HOST:PORT`},
		{"login in url", func(c *Config) { c.URL = "mqtt://gw:s3cr3t@h" }, "url holds credentials"},
		{"path", func(c *Config) { c.URL = "mqtt://h/x" }, "url is"},
		{"topic", func(c *Config) { c.Topic = "a/#" }, "topic is wrong"},
		{"client id", func(c *Config) { c.ClientID = "a\x00" }, "client_id holds"},
		{"password alone", func(c *Config) { c.Password = "s3cr3t" }, "username is required"},
		{"no window", func(c *Config) { c.Window = 0 }, "window is 0, want 1 to 10000"},
		{"wide window", func(c *Config) { c.Window = 10_001 }, "window is 10001"},
		{"keep alive", func(c *Config) { c.KeepAlive = 1500 * time.Millisecond }, "keep_alive is 1.5s"},
		{"timeout", func(c *Config) { c.Timeout = time.Millisecond }, "timeout is 1ms"},
		{"half a certificate", func(c *Config) { c.URL, c.TLS.Cert = "mqtts://h", "c" }, "tls.key is required"},
		{"tls of no use", func(c *Config) { c.TLS.CA = "ca" }, "tls is of no use with mqtt://"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := DefaultConfig()
			c.URL = "mqtt://h"
			tt.edit(&c)
			var got []string
			c.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
			all := strings.Join(got, "; ")
			if tt.want == "" && got != nil || len(got) > 1 || !strings.HasPrefix(all, tt.want) {
				t.Errorf("Validate reports %q, want %q", all, tt.want)
			}
			if strings.Contains(all, "s3cr3t") {
				t.Errorf("a password shows in %q", all)
			}
		})
	}
}
