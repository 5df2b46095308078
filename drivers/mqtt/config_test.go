package mqtt

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/protocol"
)

func TestConfigValidate(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*Config)
		want string // the fields reported
	}{
		{"default", func(c *Config) {}, ""},
		{"port", func(c *Config) { c.URL = "mqtt://h" }, ""},
		{"ipv6", func(c *Config) { c.URL = "tcp://[::1]:1883" }, ""},
		{"websocket", func(c *Config) { c.URL = "ws://h/mqtt" }, ""},
		{"no url", func(c *Config) { c.URL = "" }, "url"},
		{"no scheme", func(c *Config) { c.URL = "h:1883" }, "url"},
		{"no host", func(c *Config) { c.URL = "mqtt://" }, "url"},
		{"http", func(c *Config) { c.URL = "http://h" }, "url"},
		{"path", func(c *Config) { c.URL = "mqtt://h/x" }, "url"},
		{"credentials", func(c *Config) { c.URL = "mqtt://u:hunter2@h" }, "url"},
		{"bad credentials", func(c *Config) { c.URL = "mqtt://u:hunter2@h:x%" }, "url"},
		{"client id", func(c *Config) { c.ClientID = "a\x00" }, "client_id"},
		{"password alone", func(c *Config) { c.Password = "hunter2" }, "username"},
		{"numbers", func(c *Config) { c.QoS, c.KeepAlive, c.Timeout = 3, 1500*time.Millisecond, 0 }, "qos keep_alive timeout"},
		{"words", func(c *Config) { c.Session, c.Retained = "x", "y" }, "session retained"},
		{"tls", func(c *Config) { c.URL, c.TLS.CA = "mqtts://h", "ca.pem" }, ""},
		{"tls without", func(c *Config) { c.TLS.CA = "ca.pem" }, "tls"},
		{"half a pair", func(c *Config) { c.URL, c.TLS.Cert = "mqtts://h", "c.pem" }, "tls.key"},
	} {
		cfg := DefaultConfig()
		cfg.URL = "mqtt://broker:1883"
		test.edit(&cfg)
		var fields []string
		cfg.Validate(func(field, problem string) {
			fields = append(fields, field)
			if strings.Contains(problem, "hunter2") {
				t.Errorf("%s: the problem shows a password: %s", test.name, problem)
			}
		})
		if got := strings.Join(fields, " "); got != test.want {
			t.Errorf("%s: reports %q, want %q", test.name, got, test.want)
		}
	}
}

func TestDeviceValidate(t *testing.T) {
	for _, test := range []struct {
		device Device
		want   []string
	}{
		{Device{Topic: "a/{device}"}, nil},
		{Device{Topic: "a/b", Name: "x"}, nil},
		{Device{}, []string{"topic is required"}},
		{Device{Topic: "a/#/b"}, []string{`topic "a/#/b" has # before its end`}},
		{Device{Topic: "a/b"}, []string{"device is required"}},
		{Device{Topic: "spBv1.0/#", Decode: &plainSparkplug}, nil},
		{Device{Topic: "spBv1.0/#", Decode: &plainJSON}, []string{"device is required"}},
		{Device{Topic: "a/{device}", Name: "x"}, []string{`device is "x", but`}},
		{Device{Topic: "{area}/{device}", Tags: []protocol.Tag{{Key: "area"}}}, []string{"tags.area is captured"}},
	} {
		var got []string
		test.device.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
			t.Errorf("%+v: reports %q, want %q", test.device, got, test.want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for url, want := range map[string]string{
		"mqtt://h": "h:1883", "tcp://h:9": "h:9", "mqtts://h": "h:8883", "ssl://[::1]": "[::1]:8883",
		"tls://h/": "h:8883", "ws://h/mqtt": "h:80", "wss://h": "h:443",
	} {
		b, err := parseURL(url)
		if err != nil || b.host != want {
			t.Errorf("parseURL(%q) is %q, %v, want %q", url, b.host, err, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := DefaultConfig()
	good.URL = "mqtt://h"
	secured := good
	secured.URL, secured.TLS = "mqtts://h", TLS{CA: "/nowhere/ca.pem"}
	for _, test := range []struct {
		cfg    Config
		device Device
		want   string
	}{
		{Config{}, climate, "url is required"},
		{secured, climate, "read tls.ca"},
		{good, Device{Topic: "a"}, "device is required"},
		{good, Device{Topic: "{device}", Profile: "p"}, `profile "p"`},
	} {
		_, err := New("floor", test.cfg, []Device{test.device}, Options{})
		if err == nil || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("New gives error %v, want one with %q", err, test.want)
		}
	}
}
