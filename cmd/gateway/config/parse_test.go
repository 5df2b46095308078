package config

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"sluice/pipeline"
	"sluice/protocol"
	"sluice/sink/file"
)

const example = "../../../config.yaml"

func load(t *testing.T, path string, opts Options) *File {
	t.Helper()
	f, err := Load(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestExampleFile(t *testing.T) {
	t.Run("rehearsal", func(t *testing.T) {
		f := load(t, example, Options{Secrets: Skip})
		if got := f.Sinks[1].Influx.Token.Reveal(); got != "rehearsal" {
			t.Errorf("the token is %q", got)
		}
	})
	t.Run("run", func(t *testing.T) {
		t.Setenv("INFLUX_TOKEN", "s3cret")
		f := load(t, example, Options{})
		if got := f.Sinks[1].Influx.Token.Reveal(); got != "s3cret" {
			t.Errorf("the token is %q", got)
		}
		if got := f.Sinks[0].Delivery.Batch.MaxAge; got != 0 {
			t.Errorf("hub waits for %v", got)
		}
		if got := f.Sinks[1].Delivery.Batch.MaxAge; got != 250*time.Millisecond {
			t.Errorf("history waits for %v", got)
		}
	})
}

func TestEveryKeyIsSet(t *testing.T) {
	t.Setenv("SLUICE_TEST_SECRET", "s3cret")
	f := load(t, "testdata/good/full.yaml", Options{})
	mustBeSet(t, "http", f.HTTP)
	mustBeSet(t, "log", f.Log)
	mustBeSet(t, "reload", f.Reload)
	mustBeSet(t, "pipeline", f.Pipeline)
	mustBeSet(t, "test", f.Tests[0], "device", "hex", "base64", "file", "rejected")
	mustBeSet(t, "expected", f.Tests[0].Expect[0])
	mustBeSet(t, "mqtt", *f.Drivers[0].MQTT)
	mustBeSet(t, "serial", *f.Drivers[1].Serial)
	mustBeSet(t, "unit", *f.Drivers[1].Serial.Unit, "regex")
	mustBeSet(t, "ask", *f.Profiles["weighbridge"].Ask)
	mustBeSet(t, "before", f.Profiles["weighbridge"].Ask.Before[0])
	mustBeSet(t, "prefixed", *f.Drivers[2].Serial.Frame.Prefixed)
	mustBeSet(t, "checksum", *f.Drivers[2].Serial.Frame.Prefixed.Checksum, "after")
	mustBeSet(t, "nats", *f.Sinks[0].NATS, "token", "creds")
	mustBeSet(t, "influx", *f.Sinks[2].Influx, "gzip")
	mustBeSet(t, "file", *f.Sinks[3].File, "sync")
	mustBeSet(t, "delivery", f.Sinks[0].Delivery, "only")
	mustBeSet(t, "report", *f.Profiles["climate"].Report)
	registers := []string{"coil", "discrete", "input", "holding", "order", "bits", "length", "missing", "poll"}
	mustBeSet(t, "metric", f.Profiles["climate"].Metrics["temperature"], registers...)
	mustBeSet(t, "modbus", *f.Drivers[3].Modbus, "url")
	mustBeSet(t, "register", f.Profiles["meter"].Metrics["voltage"].Register, "coil", "discrete", "holding", "bits", "length")
	mustBeSet(t, "reads", f.Profiles["meter"].Reads)
	sent := []string{"path", "report", "order", "bits", "length", "missing", "poll", "discrete", "input", "holding", "coil", "blind", "scale", "offset", "range", "value"}
	serial := []string{"request", "expect", "timeout"}
	mustBeSet(t, "mqtt command", f.Profiles["climate"].Commands["mode"], append(sent, serial...)...)
	mustBeSet(t, "serial command", f.Profiles["weighbridge"].Commands["display"], append(sent, "topic", "payload", "qos", "retain", "reads", "map")...)
	mustBeSet(t, "time", *f.Profiles["climate"].Time)
	mustBeSet(t, "csv", *f.Profiles["track"].Decode.CSV)
}

// mustBeSet fails for every field of v, and of the structs in it, that still
// has its zero value; those with the names in except must have it.
func mustBeSet(t *testing.T, path string, v any, except ...string) {
	t.Helper()
	value := reflect.ValueOf(v)
	for _, f := range fieldsOf(value.Type()) {
		field := value.FieldByIndex(f.index)
		if field.IsZero() != slices.Contains(except, f.name) {
			t.Errorf("%s.%s is %v", path, f.name, field)
		}
		if field.Kind() == reflect.Struct && choice(field.Type()) == "" {
			mustBeSet(t, path+"."+f.name, field.Interface())
		}
	}
}

func TestValuesOfTheFile(t *testing.T) {
	t.Setenv("SLUICE_TEST_SECRET", "s3cret")
	f := load(t, "testdata/good/full.yaml", Options{})
	mqtt, hub := f.Drivers[0], f.Sinks[0]
	here := func(path string) string { return filepath.Join("testdata/good", path) }
	for name, c := range map[string]struct{ got, want any }{
		"order of drivers":     {[]string{f.Drivers[0].Name, f.Drivers[1].Name, f.Drivers[2].Name}, []string{"floor", "scale", "gps"}},
		"order of sinks":       {[]string{f.Sinks[0].Name, f.Sinks[1].Name, f.Sinks[2].Name}, []string{"hub", "leaf", "history"}},
		"order of devices":     {[]string{f.Devices[0].Name, f.Devices[2].Name, f.Devices[3].Name}, []string{"gps-1", "roof-1", "weighbridge-{unit}"}},
		"devices of a driver":  {[]string{mqtt.MQTTDevices[0].Topic, mqtt.MQTTDevices[1].Topic}, []string{"plant/{area}/{device}/climate", "roof/climate"}},
		"device of a port":     {f.Drivers[2].SerialDevices[0].Name, "gps-1"},
		"units of a line":      {[]string{f.Drivers[1].SerialDevices[0].Unit, f.Drivers[1].SerialDevices[2].Name}, []string{"3130", "weighbridge-3132"}},
		"profile of a device":  {mqtt.MQTTDevices[0].Decode, f.Profiles["climate"]},
		"tags sorted, as text": {mqtt.MQTTDevices[1].Tags, []protocol.Tag{{Key: "area", Value: "1.10"}, {Key: "on", Value: "on"}, {Key: "version", Value: "1.10"}}},
		"leading zero in text": {mqtt.MQTT.Username, "0123"},
		"secret from a file":   {mqtt.MQTT.Password.Reveal(), "from the file"},
		"secret in a text":     {hub.NATS.Password.Reveal(), "a${b}s3cretc"},
		"relative ca":          {mqtt.MQTT.TLS.CA, here("tls/ca.pem")},
		"absolute key":         {mqtt.MQTT.TLS.Key, "/etc/sluice/gw.key"},
		"relative creds":       {f.Sinks[1].NATS.Creds, here("hub.creds")},
		"relative path":        {f.Sinks[3].File.Path, here("out/{gateway}.lp")},
		"relative trace":       {f.Drivers[1].Serial.Trace, here("traces/scale.txt")},
		"standard output":      {f.Sinks[4].File.Path, "-"},
		"files to keep":        {f.Sinks[3].File.Keep, file.Keep{Files: 7}},
		"relative dir":         {f.Pipeline.Dir, here("journal")},
		"duration":             {f.Pipeline.Drain, 90 * time.Second},
		"size":                 {f.Pipeline.Segment, pipeline.Bytes(8 << 20)},
		"number by pointer":    {*f.Profiles["climate"].Metrics["temperature"].Offset, -40.0},
		"metric of defaults":   {len(f.Profiles["climate"].Metrics), 2},
		"skipped column":       {f.Profiles["track"].Decode.CSV.Columns, []string{"lat", "", "lon"}},
		"range":                {f.Profiles["climate"].Metrics["temperature"].Range, []float64{-40, math.Inf(1)}},
		"deadband":             {[]protocol.Deadband{*f.Profiles["climate"].Report.Deadband, *f.Profiles["climate"].Metrics["temperature"].Report.Deadband}, []protocol.Deadband{{Width: 2, Percent: true}, {Width: 0.1}}},
		"stale_after":          {f.Profiles["climate"].StaleAfter, 5 * time.Minute},
		"map":                  {f.Profiles["climate"].Metrics["temperature"].Map, map[string]string{"off": "0", "on": "1e2", "7": "007"}},
		"encoding":             {f.Profiles["weighbridge"].Encoding + " " + f.Profiles["weighbridge"].Others, "base64 gzip keep"},
		"decoder as a word":    {f.Profiles["climate"].Decode.JSON != nil, true},
		"command":              {f.Profiles["meter"].Commands["reset"].Value, "7"},
		"blind command":        {f.Profiles["meter"].Commands["reset"].Blind, true},
		"batch":                {hub.Delivery.Batch, pipeline.Batch{MaxReadings: 500, MaxBytes: 64 << 10, MaxAge: 5 * time.Millisecond}},
		"default delivery":     {f.Sinks[1].Delivery.Start, "now"},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load("testdata/nowhere.yaml", Options{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if errors.As(err, new(Problems)) {
		t.Errorf("a file that is not there has problems: %v", err)
	}
}
