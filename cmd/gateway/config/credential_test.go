package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const credentialFile = `gateway: g
drivers:
  floor: {mqtt: {url: "mqtt://127.0.0.1", username: gw, password: "${credential:broker}"}}
profiles:
  p: {decode: json}
devices:
  - {via: floor, profile: p, topic: "a/{device}"}
pipeline: {dir: d}
sinks:
  s: {nats: {url: "nats://127.0.0.1", token: "${credential:hub}"}}
`

// A credential is found under its name, and under that which systemd gives it when
// its folder was given.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"broker": "one\n", "secret_broker": "not this", "secret_hub": "two\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	f, err := Parse("/etc/sluice/config.yaml", []byte(credentialFile), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Drivers[0].MQTT.Password.Reveal(); p != "one" {
		t.Errorf("password is %q", p)
	}
	if p := f.Sinks[0].NATS.Token.Reveal(); p != "two" {
		t.Errorf("token is %q", p)
	}
}

func TestCredentialsThatCannotBeRead(t *testing.T) {
	outside := strings.Replace(credentialFile, "credential:hub", "credential:../hub", 1)
	for want, c := range map[string]struct{ dir, text string }{
		":3:67: credential broker: $CREDENTIALS_DIRECTORY is not set":                  {"", credentialFile},
		":10:46: read file /nowhere/hub: no such file":                                 {"/nowhere", credentialFile},
		":10:46: credential ../hub: want the name of a file in $CREDENTIALS_DIRECTORY": {"/nowhere", outside},
	} {
		t.Setenv("CREDENTIALS_DIRECTORY", c.dir)
		_, err := Parse("f.yaml", []byte(c.text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}
