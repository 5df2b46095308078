package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// websocketConn is MQTT over a WebSocket as a stream of bytes. The MQTT library
// has one too, but its dialler knows no context.
type websocketConn struct {
	*websocket.Conn
	message io.Reader // being read; nil between messages
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func dialWebsocket(ctx context.Context, url string, secrets *tls.Config, dial dialFunc) (net.Conn, error) {
	// The handshake heeds a deadline of ctx and not its end: that closes the
	// connection.
	guard := func() bool { return true }
	defer func() { guard() }()
	d := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err == nil {
				guard = context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		},
		TLSClientConfig: secrets,
		Subprotocols:    []string{"mqtt"}, // MQTT 3.1.1, section 6.0
	}
	conn, answer, err := d.DialContext(ctx, url, nil)
	if err != nil {
		if answer != nil {
			err = errors.Join(err, errors.New("the server answers "+answer.Status))
		}
		return nil, err
	}
	return &websocketConn{Conn: conn}, nil
}

// Read reads on through the messages; packets need not keep to their bounds.
func (c *websocketConn) Read(p []byte) (int, error) {
	for {
		if c.message == nil {
			kind, message, err := c.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errors.New("the broker sends text over the websocket")
			}
			c.message = message
		}
		n, err := c.message.Read(p)
		if errors.Is(err, io.EOF) {
			c.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends p as one message.
func (c *websocketConn) Write(p []byte) (int, error) {
	if err := c.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline sets both deadlines.
func (c *websocketConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
