package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/drivers/drivertest"
)

// authority signs certificates for one test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	a := &authority{t: t, dir: dir}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes name.pem and name.key.
func (a *authority) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.Subject = pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".pem", "CERTIFICATE", der)
	a.write(name+".key", "PRIVATE KEY", secret)
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key
}

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(a.path(name), text, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func TestTLSWithClientCertificate(t *testing.T) {
	ca := newAuthority(t, t.TempDir())
	ca.issue("server", &x509.Certificate{DNSNames: []string{"broker.local"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	ca.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	broker := drivertest.StartMosquitto(t, "cafile "+ca.path("ca.pem"), "certfile "+ca.path("server.pem"), "keyfile "+ca.path("server.key"),
		"require_certificate true", "use_identity_as_username true")
	url := "mqtts://" + broker.Addr()
	good := TLS{CA: ca.path("ca.pem"), Cert: ca.path("client.pem"), Key: ca.path("client.key")}

	for _, name := range []string{"", "broker.local"} {
		d, status := newTestDriver(t, url, func(c *Config) { c.TLS, c.TLS.ServerName = good, name }, climate)
		stopped(t, run(t, d, status, drivertest.NewEmitter(t)))
	}
	for _, test := range []struct {
		name, want string
		tls        TLS
	}{
		{"unknown authority", "certificate signed by unknown authority", TLS{Cert: good.Cert, Key: good.Key}},
		{"wrong name", "not other.local", TLS{CA: good.CA, Cert: good.Cert, Key: good.Key, ServerName: "other.local"}},
		{"no certificate", "connect to mqtts://", TLS{CA: good.CA}},
	} {
		d, _ := newTestDriver(t, url, func(c *Config) { c.TLS = test.tls }, climate)
		err := d.Run(t.Context(), drivertest.NewEmitter(t))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Run returned %v, want an error with %q", test.name, err, test.want)
		}
	}
}

func TestPassword(t *testing.T) {
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte("gw:hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mosquitto_passwd", "-U", passwords).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	broker := drivertest.StartMosquitto(t, "allow_anonymous false", "password_file "+passwords)
	d, status := newTestDriver(t, broker.URL(), func(c *Config) { c.Username, c.Password = "gw", "hunter2" }, climate)
	stopped(t, run(t, d, status, drivertest.NewEmitter(t)))

	d, _ = newTestDriver(t, broker.URL(), func(c *Config) { c.Username, c.Password = "gw", "wrong-horse" }, climate)
	err := d.Run(t.Context(), drivertest.NewEmitter(t))
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "not authorized") || strings.Contains(err.Error(), "horse") {
		t.Errorf("Run returned %v, want that it is not authorized, without the password", err)
	}
}
