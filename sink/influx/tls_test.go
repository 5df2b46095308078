package influx_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// authority returns the file of the certificate that vouches for server.
func authority(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		linesOf(t, r)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	cfg := configFor(server.URL)
	cfg.TLS.CA = authority(t, server)
	if err := opened(t, cfg).Write(t.Context(), readings(3)); err != nil {
		t.Error(err)
	}
	cfg.TLS.CA = ""
	if err := opened(t, cfg).Write(t.Context(), readings(3)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Write to a server that nobody vouches for = %v", err)
	}
}
