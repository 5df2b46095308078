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

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		linesOf(t, r)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := configFor(server.URL)
	cfg.TLS.CA = ca
	if err := opened(t, cfg).Write(t.Context(), readings(3)); err != nil {
		t.Error(err)
	}
	cfg.TLS.CA = ""
	if err := opened(t, cfg).Write(t.Context(), readings(3)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Write to a server that nobody vouches for = %v", err)
	}
}
