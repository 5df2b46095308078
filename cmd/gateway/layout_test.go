package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The arrows of ARCHITECTURE.md: what a package of ours may import of ours. A
// name ending in /… stands for everything below. The longest prefix counts.
var arrows = map[string][]string{
	"protocol":            {},
	"protocol/checksum":   {},
	"protocol/binary":     {"protocol"},
	"protocol/frame":      {"protocol/checksum"},
	"protocol/modbus":     {"protocol", "protocol/binary", "protocol/checksum"},
	"protocol/payload":    {"protocol", "protocol/binary", "protocol/checksum", "protocol/frame", "protocol/payload/…"},
	"drivers":             {"protocol"},
	"drivers/drivertest":  {"drivers", "protocol"},
	"drivers/mqtt":        {"drivers", "protocol", "protocol/…"},
	"drivers/serial":      {"drivers", "drivers/serial/port", "protocol", "protocol/…"},
	"drivers/serial/port": {},
	"drivers/modbus":      {"drivers", "drivers/serial/port", "protocol", "protocol/…"},
	"sink":                {"protocol"},
	"sink/nats":           {"sink", "protocol"},
	"sink/influx":         {"sink", "sink/lineproto", "protocol"},
	"sink/file":           {"sink", "sink/lineproto", "protocol"},
	"sink/lineproto":      {"sink", "protocol"},
	"sink/mqtt":           {"sink", "protocol"},
	"sink/sinktest":       {"sink", "protocol"},
	"pipeline":            {"sink", "protocol", "pipeline/journal", "pipeline/report"},
	"pipeline/report":     {"protocol"},
	"pipeline/journal":    {},
	"firmware-sim":        {"firmware-sim/…", "protocol", "protocol/…", "cmd/gateway/config"},
	"cmd/gateway/config":  {"drivers/…", "sink", "sink/…", "pipeline", "protocol", "protocol/…"},
	"cmd/gateway/standin": {},
	"cmd/gateway":         {"cmd/gateway/…", "drivers", "drivers/…", "sink", "sink/…", "pipeline", "protocol", "protocol/frame", "protocol/payload", "firmware-sim/…"},
}

// A client library belongs to the leaves of its kind.
var clients = map[string][]string{
	"github.com/eclipse/paho.mqtt.golang":      {"drivers/mqtt", "sink/mqtt", "firmware-sim/…"},
	"github.com/tarm/serial":                   {"drivers/serial/port"},
	"github.com/nats-io/nats.go":               {"sink/nats", "cmd/gateway/standin"},
	"github.com/influxdata/influxdb-client-go": {"sink/influx"},
	"github.com/Shopify/toxiproxy":             {"sink/sinktest"},
	"go.yaml.in/yaml":                          {"cmd/gateway/config"},
	"github.com/nats-io/nats-server":           {"cmd/gateway/standin"},
	"github.com/mochi-mqtt":                    {"cmd/gateway/standin"},
	"github.com/fxamacker/cbor":                {"protocol/payload", "firmware-sim/…"},
	"github.com/tinylib/msgp":                  {"protocol/payload", "firmware-sim/…"},
	"google.golang.org/protobuf":               {"protocol/payload/sparkplug/…"},
	"github.com/prometheus/client_golang":      {"cmd/gateway"},
	"github.com/spf13/cobra":                   {"cmd/gateway", "firmware-sim"},
}

const root = "../.."

func TestImportsFollowTheArrows(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := strings.TrimPrefix(words[0], "sluice/")
		for _, to := range words[1:] {
			if ours, ok := strings.CutPrefix(to, "sluice/"); ok && !allowed(arrowsOf(t, from), ours) {
				t.Errorf("%s must not import %s", from, ours)
			}
			for client, users := range clients {
				if (to == client || strings.HasPrefix(to, client+"/")) && !allowed(users, from) {
					t.Errorf("%s must not import %s: that is for %v", from, to, users)
				}
			}
		}
	}
}

// arrowsOf returns the rule of the nearest folder that has one.
func arrowsOf(t *testing.T, pkg string) []string {
	for dir := pkg; dir != "."; dir = filepath.Dir(dir) {
		if rule, ok := arrows[dir]; ok {
			return rule
		}
	}
	t.Errorf("no arrows are drawn for %s", pkg)
	return nil
}

func allowed(rule []string, pkg string) bool {
	for _, r := range rule {
		if below, ok := strings.CutSuffix(r, "/…"); r == pkg || ok && strings.HasPrefix(pkg+"/", below+"/") {
			return true
		}
	}
	return false
}

// sources calls each for every Go file of ours.
func sources(t *testing.T, each func(path string, text []byte)) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			each(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesStaySmall(t *testing.T) {
	sources(t, func(path string, text []byte) {
		limit := 400
		if strings.HasSuffix(path, "_test.go") {
			limit = 600
		}
		if strings.HasSuffix(path, ".pb.go") {
			return // written by a program
		}
		if n := bytes.Count(text, []byte("\n")); n > limit {
			t.Errorf("%s has %d lines, more than %d", path, n, limit)
		}
	})
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string]int{}
	sources(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil {
			comments[filepath.Dir(path)]++
		} else {
			comments[filepath.Dir(path)] += 0
		}
	})
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments, want 1", dir, n)
		}
	}
}
