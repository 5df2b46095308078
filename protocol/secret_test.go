package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const hunter = "hunter2"
	type config struct {
		User     string
		Password Secret
	}
	c := config{"gw", hunter}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, arg := range []any{c.Password, &c, c, []Secret{hunter}, map[string]Secret{"p": hunter}, errors.Join(fmt.Errorf("log in as %v", c.Password))} {
			fmt.Fprintf(&out, verb+"\n", arg)
		}
	}
	fmt.Fprintf(&out, "%x %X\n", c.Password, c.Password)
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("connect", "password", c.Password, "config", c, "group", slog.GroupValue(slog.Any("p", c.Password)))
	}
	text, err := json.Marshal(map[string]any{"config": c, "password": &c.Password})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	for _, leak := range []string{hunter, fmt.Sprintf("%x", hunter), fmt.Sprintf("%X", hunter)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the secret shows as %s in:\n%s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "(secret)") || c.Password.Reveal() != hunter || Secret("").String() != "" {
		t.Errorf("a secret does not show that it is one:\n%s", out.String())
	}
}

func TestQuoteURLHidesWhatMayBeAPassword(t *testing.T) {
	for text, want := range map[string]string{
		"mqtt://broker:1883":             `"mqtt://broker:1883"`,
		"broker":                         `"broker"`,
		"admin:hunter2@broker:1883":      `"…@broker:1883"`,
		"tcp://admin:hunter2@broker":     `"…@broker"`,
		"http:admin:hunter2@h/x":         `"…@h/x"`,
		"influx://h/write?u=a&p=hunter2": `"influx://h/write…"`,
		"influx://h&p=hunter2":           `"influx://h…"`,
	} {
		if got := QuoteURL(text); got != want {
			t.Errorf("QuoteURL(%q) = %s, want %s", text, got, want)
		}
	}
}
