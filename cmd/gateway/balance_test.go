package main

import (
	"bufio"
	"bytes"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// balanced holds the two equations of the gateway's accounts.
func (r *rig) balanced() {
	r.t.Helper()
	m := r.metrics()
	in, known := m["sluice_readings_received_total"]
	out := m["sluice_readings_total"] + m["sluice_intake_readings"]
	if !known || in != out {
		r.t.Errorf("gateway received %.0f readings and accounts for %.0f", in, out)
	}
	sinks := 0
	for name := range m {
		sink, ok := strings.CutPrefix(name, "sluice_sink_in_journal ")
		if !ok {
			continue
		}
		sinks++
		in, out := m["sluice_sink_readings_in_total "+sink], m["sluice_sink_readings_total "+sink]+m[name]
		if in != out {
			r.t.Errorf("sink %s had %.0f readings to deliver and accounts for %.0f", sink, in, out)
		}
	}
	if sinks == 0 {
		r.t.Error("no sink has accounts")
	}
}

var metricLine = regexp.MustCompile(`^(\w+)(?:\{(?:.*?sink="(\w+)")?.*\})? ([0-9.e+]+)$`)

// metrics reads the gateway's metrics once, summed over all labels but the sink.
func (r *rig) metrics() map[string]float64 {
	r.t.Helper()
	answer, err := http.Get("http://" + r.http + "/metrics")
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	sums := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if m := metricLine.FindSubmatch(bytes.TrimSpace(lines.Bytes())); m != nil {
			v, err := strconv.ParseFloat(string(m[3]), 64)
			if err != nil {
				r.t.Fatal(err)
			}
			sums[strings.TrimSpace(string(m[1])+" "+string(m[2]))] += v
		}
	}
	return sums
}
