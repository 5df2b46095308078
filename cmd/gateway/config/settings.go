package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// HTTP is the read-only window on the gateway: health and metrics.
type HTTP struct {
	Listen string `yaml:"listen"` // loopback HOST:PORT, default 127.0.0.1:9600; "": not served
	PProf  bool   `yaml:"pprof"`  // serve /debug/pprof too
}

// Log says what the gateway writes to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info (default), warn or error
	Format string `yaml:"format"` // text (default) or json
}

// Reload says when the gateway that runs takes a changed configuration over by
// itself.
type Reload struct {
	Watch bool `yaml:"watch"` // whenever this file, or one that it includes, has changed; default: on SIGHUP and gateway reload alone
}

// DefaultHTTP returns the values that hold where the file is silent.
func DefaultHTTP() HTTP { return HTTP{Listen: "127.0.0.1:9600"} }

// DefaultLog returns the values that hold where the file is silent.
func DefaultLog() Log { return Log{Level: "info", Format: "text"} }

// Validate reports what is wrong with h: the field's path in the file and the
// problem.
func (h *HTTP) Validate(report func(field, problem string)) {
	if h.Listen == "" {
		return
	}
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil {
		report("listen", fmt.Sprintf("is %q, want HOST:PORT, such as 127.0.0.1:9600", h.Listen))
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		report("listen", fmt.Sprintf("is %q, want a port from 0 to 65535", h.Listen))
	}
	if !loopback(host) {
		report("listen", fmt.Sprintf("is %q, want a loopback address: 127.0.0.0/8, ::1 or localhost", h.Listen))
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Validate reports what is wrong with l, as HTTP.Validate does.
func (l *Log) Validate(report func(field, problem string)) {
	switch l.Level {
	case "debug", "info", "warn", "error":
	default:
		report("level", fmt.Sprintf("is %q, want debug, info, warn or error", l.Level))
	}
	if l.Format != "text" && l.Format != "json" {
		report("format", fmt.Sprintf("is %q, want text or json", l.Format))
	}
}
