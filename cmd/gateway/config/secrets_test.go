package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const secretsFile = `gateway: g
drivers:
  floor:
    mqtt: {url: "mqtt://127.0.0.1", qos: "${env:SLUICE_TEST_A}", username: "${env:SLUICE_TEST_B}", password: "${file:pass}", client_id: "${env:SLUICE_TEST_C}"}
profiles:
  p: {decode: json}
devices:
  - {via: floor, profile: p, topic: "a/{device}"}
pipeline: {dir: d, max_size: "${env:SLUICE_TEST_D}"}
sinks:
  s: {nats: {url: "nats://127.0.0.1", subject: "${env:SLUICE_TEST_E}"}}
`

// A rehearsal must not touch what the references name: the variables are not
// set and the file is not there.
func TestSkipReadsNothing(t *testing.T) {
	f, err := Parse("/nowhere/f.yaml", []byte(secretsFile), Options{Secrets: Skip})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Drivers[0].MQTT
	if c.Password.Reveal() != "rehearsal" || c.Username != "rehearsal" || c.QoS != 1 {
		t.Errorf("password %q, username %q, qos %d", c.Password.Reveal(), c.Username, c.QoS)
	}
	if f.Pipeline.MaxSize != 256<<20 {
		t.Errorf("max_size is %v", f.Pipeline.MaxSize)
	}
}

func TestEveryReferenceThatFailsIsReported(t *testing.T) {
	dir := t.TempDir()
	_, err := Parse(filepath.Join(dir, "f.yaml"), []byte(secretsFile), Options{})
	for _, want := range []string{
		":4:42: environment variable SLUICE_TEST_A is not set",
		":4:76: environment variable SLUICE_TEST_B is not set",
		": read file " + filepath.Join(dir, "pass") + ": no such file",
		":9:30: environment variable SLUICE_TEST_D is not set",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if n := len(err.(Problems)); n != 6 {
		t.Errorf("%d problems, want 6:\n%v", n, err)
	}
}

// Whatever is wrong with an expanded value, no message shows it.
func TestNoMessageShowsAnExpandedValue(t *testing.T) {
	const secret = `hunter2 "{x} \*/é`
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		t.Setenv("SLUICE_TEST_"+name, secret)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(whole), "\n") {
		key, _, found := strings.Cut(line, ": ")
		if !found {
			continue
		}
		text := strings.Replace(string(whole), line, key+`: "${env:SLUICE_TEST_A}"`, 1)
		_, err := Parse(filepath.Join(dir, "f.yaml"), []byte(text), Options{})
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", strings.TrimSpace(key), err)
		}
	}
	_, err = Parse(filepath.Join(dir, "f.yaml"), []byte(secretsFile), Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want problems without the secret", err)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	p := newParser(filepath.Join(dir, "f.yaml"), Options{})
	for content, want := range map[string]string{
		"":         "",
		"a":        "a",
		"a\n":      "a",
		"a\r\n":    "a",
		"a\nb\n\n": "a\nb\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "s"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, problem := p.secretFile(new(yaml.Node), "s"); got != want || problem != "" {
			t.Errorf("%q: got %q (%s), want %q", content, got, problem, want)
		}
	}
	if _, problem := p.secretFile(new(yaml.Node), dir); problem == "" {
		t.Error("a folder is taken for a secret")
	}
	if err := os.WriteFile(filepath.Join(dir, "s"), make([]byte, maxSecretSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, problem := p.secretFile(new(yaml.Node), "s"); !strings.Contains(problem, "larger than") {
		t.Errorf("a file that is too large: %q", problem)
	}
}
