package influx_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/influx"
	"sluice/sink/sinktest"
)

// configFor returns the configuration of a bucket "plant".
func configFor(url string) influx.Config {
	cfg := influx.DefaultConfig()
	cfg.URL, cfg.Org, cfg.Bucket, cfg.Timeout = url, "plant", "plant", 20*time.Second
	return cfg
}

func open(t testing.TB, cfg influx.Config) *influx.Sink {
	t.Helper()
	cfg.Validate(func(field, problem string) { t.Errorf("%s %s", field, problem) })
	s, err := influx.New("history", cfg, influx.Options{Gateway: "plant-7", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opened(t testing.TB, cfg influx.Config) *influx.Sink {
	s := open(t, cfg)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	server := sinktest.StartInfluxd(t)
	server.CreateDatabase(t, "plant")
	far := sinktest.Far{
		Addr:        server.Addr(),
		New:         func(t testing.TB, addr string) sink.Sink { return open(t, configFor("http://"+addr)) },
		Stop:        server.Stop,
		Start:       server.Start,
		ExactlyOnce: true,
		Stored: func(t testing.TB) []sinktest.Point {
			var points []sinktest.Point
			for _, row := range server.Query(t, "plant", `SELECT device, n FROM climate`) {
				at, n := number(t, row["time"]), number(t, row["n"])
				points = append(points, sinktest.Point{Device: row["device"].(string), Time: protocol.Timestamp(at), N: int(n)})
			}
			return points
		},
		Secure: func(t testing.TB, cert, key string) string { return sinktest.Terminate(t, server.Addr(), cert, key) },
		NewSecure: func(t testing.TB, addr string, tls sink.TLS) sink.Sink {
			cfg := configFor("https://" + addr)
			cfg.TLS = tls
			return open(t, cfg)
		},
	}
	sinktest.Run(t, far)
	sinktest.RunFaults(t, far)
}

func number(t testing.TB, cell sinktest.Cell) int64 {
	t.Helper()
	n, err := cell.(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a real InfluxDB makes of each kind of value and of hostile names.
func TestRealServerReadsBackWhatWasWritten(t *testing.T) {
	server := sinktest.StartInfluxd(t)
	server.CreateDatabase(t, "plant")
	cfg := configFor(server.URL())
	cfg.Measurement = "{kind}"
	out := opened(t, cfg)
	at := protocol.Timestamp(1763805600123456789)
	names := []string{"plain", "# not a comment", `C:\plant`, `ends with \`, `\,comma`, "a,b=c d", "ünï °C", `"quoted"`, " blank", "two\nlines"}
	var batch []protocol.Reading
	for i, name := range names {
		batch = append(batch, protocol.Reading{
			SourceTime: at + protocol.Timestamp(i),
			Device:     &protocol.Device{Name: name, Tags: []protocol.Tag{{Key: "kind", Value: name}, {Key: "time", Value: "x"}}},
			Metrics: []protocol.Metric{
				{Name: name, Value: protocol.Float(0.1)},
				{Name: "i", Value: protocol.Int(-1 << 63)},
				{Name: "u", Value: protocol.Uint(1<<63 - 1)},
				{Name: "b", Value: protocol.Bool(true)},
				{Name: "s", Value: protocol.String("a \\ \"b\"\nü,= #")},
				{Name: "x", Value: protocol.Bytes("\x00\xff")},
				{Name: "time", Value: protocol.Int(5)},
			},
		})
	}
	if err := out.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	rows := server.Query(t, "plant", `SELECT * FROM /.*/ GROUP BY *`)
	if len(rows) != len(names) {
		t.Fatalf("stored %d points, want %d", len(rows), len(names))
	}
	seen := map[int64]bool{}
	for _, row := range rows {
		i := number(t, row["time"]) - int64(at)
		seen[i] = true
		name := names[i]
		switch name {
		case "two\nlines":
			name = "two%0Alines"
		case `ends with \`:
			name = "ends with %5C"
		case `\,comma`:
			name = "%5C,comma"
		}
		measurement := name
		if name[0] == '#' {
			measurement = "%23" + name[1:]
		}
		for column, want := range map[string]string{
			"measurement": measurement, "device": name, "kind": name, "time_": "5", name: "0.1", "i": "-9223372036854775808",
			"u": "9223372036854775807", "b": "true", "s": "a \\ \"b\"\nü,= #", "x": "AP8=",
		} {
			if got := fmt.Sprint(row[column]); got != want {
				t.Errorf("%q: column %q is %q, want %q", names[i], column, got, want)
			}
		}
	}
	if len(seen) != len(names) {
		t.Errorf("%d different times, want %d", len(seen), len(names))
	}
}

// A field that changes its type is refused for good; the others are stored when
// the delivery writes them apart.
func TestRealServerRefusesAnotherType(t *testing.T) {
	server := sinktest.StartInfluxd(t)
	server.CreateDatabase(t, "plant")
	out := opened(t, configFor(server.URL()))
	reading := func(v protocol.Value) []protocol.Reading {
		return []protocol.Reading{{Device: &protocol.Device{Name: "s"}, SourceTime: 1, Metrics: []protocol.Metric{{Name: "v", Value: v}}}}
	}
	if err := out.Write(t.Context(), reading(protocol.Float(1.5))); err != nil {
		t.Fatal(err)
	}
	sinktest.WantRejected(t, out.Write(t.Context(), reading(protocol.Uint(1<<63))), 0) // the answer quotes the line
	for _, v := range []protocol.Value{protocol.Int(2), protocol.String("x")} {
		if err := out.Write(t.Context(), reading(v)); !sink.IsPermanent(err) {
			t.Errorf("Write of %v %v = %v, want a permanent error", v.Kind(), v, err)
		}
	}
	for _, bucket := range []string{"absent", "plant/absent"} {
		cfg := configFor(server.URL())
		cfg.Bucket = bucket
		err := opened(t, cfg).Write(t.Context(), reading(protocol.Float(1)))
		if err == nil || sink.IsPermanent(err) {
			t.Errorf("Write to bucket %s = %v, want an error that the operator can mend", bucket, err)
		}
	}
}

// A real InfluxDB takes every precision, and keeps the later of two readings
// whose times are equal then.
func TestRealServerTakesEveryPrecision(t *testing.T) {
	server := sinktest.StartInfluxd(t)
	for precision, unit := range map[string]int64{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9} {
		server.CreateDatabase(t, precision)
		cfg := configFor(server.URL())
		cfg.Bucket, cfg.Precision, cfg.Units, cfg.Quality = precision, precision, true, true
		const at = 1763805600123456789
		batch := readings(2)
		for i := range batch {
			batch[i].SourceTime = at + protocol.Timestamp(i)
			batch[i].Metrics[0].Unit, batch[i].Metrics[0].Quality = "°C", protocol.Uncertain
		}
		if err := opened(t, cfg).Write(t.Context(), batch); err != nil {
			t.Fatalf("%s: %v", precision, err)
		}
		rows := server.Query(t, precision, "SELECT * FROM climate")
		last := rows[len(rows)-1]
		if want := (at + 1) / unit * unit; number(t, last["time"]) != want || number(t, last["n"]) != 1 || len(rows) != max(1, 3-int(min(unit, 2))) {
			t.Errorf("%s: stored %v, want the last at %d", precision, rows, want)
		}
		if last["n_unit"] != "°C" || last["n_quality"] != "uncertain" {
			t.Errorf("%s: unit %v, quality %v", precision, last["n_unit"], last["n_quality"])
		}
	}
}
