package nats_test

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"

	"sluice/sink"
	sinknats "sluice/sink/nats"
)

func TestValidate(t *testing.T) {
	const secret = "s3cr3t"
	tests := []struct {
		name string
		edit func(*sinknats.Config)
		want []string
	}{
		{"a good one", func(*sinknats.Config) {}, nil},
		{"a cluster", func(c *sinknats.Config) { c.URL = "tls://a:4222, tls://b" }, nil},
		{"all wrong at once", func(c *sinknats.Config) {
			*c = sinknats.Config{Create: true, Password: secret, TLS: sink.TLS{Key: "k"}}
		}, []string{"url is required", "subject is wrong", "create is true without", "username is required", "window is 0", "timeout is 0s", "tls.cert is required"}},
		{"two logins", func(c *sinknats.Config) { c.Token, c.Creds = secret, "file" }, []string{"username stands beside"}},
		{"a stream's name", func(c *sinknats.Config) { c.Stream = "a.b" }, []string{`stream is "a.b", want`}},
		{"a user in the URL", func(c *sinknats.Config) { c.URL = "nats://me:s3cr3t@host" }, []string{"url holds a user"}},
		{"a user in a broken URL", func(c *sinknats.Config) { c.URL = "nats://me:s3cr3t@host:port" }, []string{"url is not a URL"}},
		{"another scheme", func(c *sinknats.Config) { c.URL = "http://host:4222" }, []string{`url is "http://host:4222", want`}},
		{"no host", func(c *sinknats.Config) { c.URL = "nats://a,b" }, []string{`url is "b", want`}},
		{"mixed schemes", func(c *sinknats.Config) { c.URL = "nats://a,ws://b" }, []string{"url mixes ws://"}},
	}
	for _, tt := range tests {
		cfg := configFor("127.0.0.1:4222")
		tt.edit(&cfg)
		var got []string
		cfg.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if strings.Contains(strings.Join(got, ""), secret) {
			t.Errorf("%s: a password shows in %q", tt.name, got)
		}
	}
}

func TestTLS(t *testing.T) {
	lender := httptest.NewTLSServer(nil) // of a certificate for 127.0.0.1
	defer lender.Close()
	far := startServer(t, func(o *server.Options) {
		o.TLSConfig = &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12}
		o.TLS, o.TLSTimeout = true, 30
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := configFor(far.addr())
	cfg.URL, cfg.TLS.CA = "tls://"+far.addr(), ca
	if err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3)); err != nil {
		t.Error(err)
	}
	cfg.TLS.CA = ""
	if err := opened(t, cfg).Write(t.Context(), readings("s1", 0, 3)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Write to a server that nobody vouches for = %v", err)
	}
}
