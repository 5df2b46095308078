package sink_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/sink"
)

func TestLoadTLSNamesTheFile(t *testing.T) {
	if c, err := (sink.TLS{}).Load(); err != nil || c.RootCAs != nil {
		t.Fatalf("LoadTLS of nothing = %v, %v", c, err)
	}
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][3]string{{notPEM, "", ""}, {"/absent/ca.pem", "", ""}, {"", "/absent/c.pem", "/absent/k.pem"}} {
		_, err := sink.TLS{CA: files[0], Cert: files[1], Key: files[2]}.Load()
		if err == nil || !strings.Contains(err.Error(), files[0]+files[1]) {
			t.Errorf("LoadTLS(%q) = %v, want an error that names the file", files, err)
		}
	}
}

func TestValidateTLSWantsBothHalves(t *testing.T) {
	for _, tt := range []struct{ cert, key, want string }{
		{"", "", ""}, {"c", "k", ""}, {"c", "", "tls.key"}, {"", "k", "tls.cert"},
	} {
		got := ""
		sink.TLS{Cert: tt.cert, Key: tt.key}.Validate(func(field, _ string) { got += field })
		if got != tt.want {
			t.Errorf("ValidateTLS(%q, %q) reports %q, want %q", tt.cert, tt.key, got, tt.want)
		}
	}
}
