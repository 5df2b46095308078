package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds that no text makes Parse panic, and that every problem lies
// in the file and in its order. References are not followed: a fuzzer would
// find devices that never end.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml", example} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds in %s (%v)", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("f", text, Options{Secrets: Skip})
		if err == nil {
			mustBeUsable(t, file)
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 || file != nil {
			t.Fatalf("got %v and %v, want problems", file, err)
		}
		mustLieIn(t, problems, string(text))
	})
}

func mustLieIn(t *testing.T, problems Problems, text string) {
	t.Helper()
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	var before Problem
	for _, p := range problems {
		if p.File != "f" {
			break // the further ones lie in files that it names
		}
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
			t.Errorf("%v lies outside the file", p)
		}
		if p.Line < before.Line || p.Line == before.Line && p.Column < before.Column {
			t.Errorf("%v comes after %v", p, before)
		}
		if p.Message == "" || strings.Contains(p.Message, "%!") && !strings.Contains(text, "%!") {
			t.Errorf("%v has no good message", p)
		}
		before = p
	}
}

func mustBeUsable(t *testing.T, f *File) {
	t.Helper()
	for _, d := range f.Drivers {
		kinds := 0
		for _, whole := range []bool{
			d.MQTT != nil && len(d.MQTTDevices) > 0, d.Serial != nil && len(d.SerialDevices) > 0, d.Modbus != nil && len(d.ModbusDevices) > 0,
		} {
			if whole {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("driver %s is not usable: %+v", d.Name, d)
		}
	}
	for _, s := range f.Sinks {
		kinds := 0
		for _, set := range []bool{s.NATS != nil, s.Influx != nil, s.File != nil} {
			if set {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("sink %s is not usable: %+v", s.Name, s)
		}
	}
	for _, d := range f.Devices {
		if f.Profiles[d.Profile] == nil {
			t.Errorf("device %+v has no profile", d)
		}
	}
	if len(f.Drivers) == 0 || len(f.Sinks) == 0 || f.Gateway == "" || f.Pipeline.Dir == "" {
		t.Errorf("the file is not usable: %+v", f)
	}
}
