package sink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// TLS names the files that secure a connection. Sinks have it in their Config.
type TLS struct {
	CA   string `yaml:"ca"`   // PEM file of the authorities to trust, "": the system's
	Cert string `yaml:"cert"` // PEM file of the client certificate, "": none
	Key  string `yaml:"key"`  // PEM file of its key
}

// Load reads the files.
func (t TLS) Load() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authorities: no PEM certificate in %s", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Validate reports a client certificate without its key and a key without its
// certificate, in the words of a Config whose field is "tls".
func (t TLS) Validate(report func(field, problem string)) {
	if t.Cert != "" && t.Key == "" {
		report("tls.key", "is required: the key of tls.cert")
	}
	if t.Key != "" && t.Cert == "" {
		report("tls.cert", "is required: the certificate of tls.key")
	}
}
