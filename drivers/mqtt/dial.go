package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// enqueueTimeout is how long the library may wait for its own writer.
const enqueueTimeout = 2 * time.Second

// options returns the settings of a client that connects once.
func (c *connection) options(ctx context.Context) (*paho.ClientOptions, error) {
	secrets, err := c.cfg.TLS.load()
	if err != nil {
		return nil, err
	}
	o := paho.NewClientOptions()
	o.Servers = []*url.URL{c.broker.url}
	o.SetClientID(c.cfg.ClientID)
	o.SetUsername(c.cfg.Username)
	o.SetPassword(c.cfg.Password.Reveal())
	o.SetProtocolVersion(4)
	o.SetCleanSession(c.cfg.Session == "clean")
	o.SetKeepAlive(c.cfg.KeepAlive)
	o.SetPingTimeout(c.cfg.Timeout)
	o.SetConnectTimeout(c.cfg.Timeout)
	o.SetWriteTimeout(enqueueTimeout)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetAutoAckDisabled(true)
	o.SetOrderMatters(true)
	o.SetStore(noStore{})
	o.SetDefaultPublishHandler(c.receive)
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { c.lost <- err })
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) {
		return c.dial(ctx, secrets)
	})
	return o, nil
}

// dial opens the wire. It is called once, by the library.
func (c *connection) dial(ctx context.Context, secrets *tls.Config) (net.Conn, error) {
	conn, err := c.open(ctx, secrets)
	if err != nil {
		c.dialErr = err
		return nil, err
	}
	c.wire = newWire(conn, c.cfg.Timeout)
	c.unguard = context.AfterFunc(ctx, func() { c.wire.Close() })
	return c.wire, nil
}

func (c *connection) open(ctx context.Context, secrets *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if c.broker.websocket() {
		return dialWebsocket(ctx, c.broker.url.String(), secrets, c.dialTCP)
	}
	conn, err := c.dialTCP(ctx, "tcp", c.broker.host)
	if err != nil || !c.broker.secure() {
		return conn, err
	}
	if secrets.ServerName == "" {
		secrets.ServerName = c.broker.url.Hostname()
	}
	secured := tls.Client(conn, secrets)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// load reads the files. They are read for every connection, so that a renewed
// certificate is used from the next one on.
func (t TLS) load() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read tls.ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read tls.ca: %w", errors.New(t.CA+" holds no PEM certificate"))
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read tls.cert and tls.key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// noStore keeps nothing: the broker keeps what is not acknowledged, what the
// driver publishes is never sent twice, and every client is used for one
// connection.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
