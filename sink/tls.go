package sink

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// LoadTLS reads the PEM files of the authorities to trust, of a client
// certificate and of its key. An empty ca trusts the system's authorities, an
// empty cert means that there is no client certificate.
func LoadTLS(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read authorities: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read authorities: no PEM certificate in %s", ca)
		}
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// ValidateTLS reports a client certificate without its key and a key without
// its certificate.
func ValidateTLS(cert, key string, report func(field, problem string)) {
	if cert != "" && key == "" {
		report("tls.key", "is required: the key of tls.cert")
	}
	if key != "" && cert == "" {
		report("tls.cert", "is required: the certificate of tls.key")
	}
}
