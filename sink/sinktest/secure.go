package sinktest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/sink"
)

// Authority signs certificates for one test.
type Authority struct {
	CA string // PEM file of its own certificate

	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns an authority whose files are in a temporary folder.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir()}
	a.CA, _ = a.issue(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// Server returns the PEM files of a certificate for 127.0.0.1 and of its key.
func (a *Authority) Server(t testing.TB) (cert, key string) {
	t.Helper()
	return a.issue(t, "server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
}

// Client returns the PEM files of a client's certificate and of its key.
func (a *Authority) Client(t testing.TB) (cert, key string) {
	t.Helper()
	return a.issue(t, "client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

func (a *Authority) issue(t testing.TB, name string, c *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.Subject = pkix.Name{CommonName: name}
	c.NotBefore = time.Now().Add(-2 * time.Hour)
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		a.key = key
	}
	return a.write(t, name+".pem", "CERTIFICATE", der), a.write(t, name+".key", "PRIVATE KEY", secret)
}

func (a *Authority) write(t testing.TB, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Terminate puts a server with this certificate before target, which speaks
// without TLS, and returns its HOST:PORT. It ends with the test.
func Terminate(t testing.TB, target, cert, key string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			context.AfterFunc(ctx, func() { near.Close() })
			all.Go(func() { pass(near, far) })
			all.Go(func() { pass(far, near) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		cancel()
		all.Wait()
	})
	return l.Addr().String()
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from) // until either is closed
	to.Close()
	from.Close()
}

func (s *suite) isSecure(t *testing.T) {
	ours, foreign := NewAuthority(t), NewAuthority(t)
	cert, key := ours.Server(t)
	good := s.far.Secure(t, cert, key)
	cert, key = ours.issue(t, "elsewhere", &x509.Certificate{DNSNames: []string{"elsewhere.example"}})
	elsewhere := s.far.Secure(t, cert, key)
	cert, key = ours.issue(t, "expired", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(-time.Hour)})
	expired := s.far.Secure(t, cert, key)
	tests := []struct {
		name, addr, ca string
		stores         bool
	}{
		{"a certificate that is right", good, ours.CA, true},
		{"an authority that nobody knows", good, "", false},
		{"an authority of others", good, foreign.CA, false},
		{"a certificate for another host", elsewhere, ours.CA, false},
		{"a certificate that has expired", expired, ours.CA, false},
		{"no TLS at all", s.far.Addr, ours.CA, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := s.far.NewSecure(t, tt.addr, sink.TLS{CA: tt.ca})
			defer out.Close()
			if tt.stores {
				Deliver(t, out, s.batch(3))
				return
			}
			s.refused(t, out, s.batch(3))
		})
	}
}
