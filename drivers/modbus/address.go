package modbus

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// address is where a server is.
type address struct {
	host string // and port, as net.Dial takes it
	rtu  bool   // frames are those of a serial line
}

// defaultPort is the one that Modbus has.
const defaultPort = "502"

// parseAddress reads tcp://HOST[:502] or rtu+tcp://HOST:PORT. The error reads on
// after the name of what holds text.
func parseAddress(text string) (address, error) {
	const want = "want tcp://HOST[:502] or rtu+tcp://HOST:PORT"
	u, err := url.Parse(text)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return address{}, fmt.Errorf("is no URL: %w: %s", err, want)
	}
	scheme := strings.ToLower(u.Scheme)
	switch {
	case scheme != "tcp" && scheme != "rtu+tcp":
		return address{}, fmt.Errorf("is %q, %s", text, want)
	case u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return address{}, fmt.Errorf("is %q, %s", text, want)
	case scheme == "rtu+tcp" && u.Port() == "":
		return address{}, fmt.Errorf("is %q, which lacks the converter's port: %s", text, want)
	}
	number := u.Port()
	if number == "" {
		number = defaultPort
	}
	if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 {
		return address{}, fmt.Errorf("is %q, want a port from 1 to 65535", text)
	}
	return address{host: net.JoinHostPort(u.Hostname(), number), rtu: scheme == "rtu+tcp"}, nil
}
