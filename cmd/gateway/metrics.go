package main

import "github.com/prometheus/client_golang/prometheus"

// collector turns the pipeline's counters into metrics at the moment they are
// asked for, so that nothing is counted twice and the equations of accounting
// hold in every answer.
type collector struct{ g *gateway }

func newCollector(g *gateway) collector { return collector{g} }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sluice_"+name, help, labels, nil)
}

var (
	descReceived = desc("readings_received_total", "Readings that came from devices. Equals the sum of all fates plus sluice_intake_readings.", "driver")
	descFate     = desc("readings_total", "What became of the readings that came from devices.", "driver", "fate")
	descIntake   = desc("intake_readings", "Readings accepted and not yet in the journal.", "driver")
	descRejected = desc("rejected_total", "Messages that gave no reading, by device and reason.", "driver", "device", "reason")
	descUp       = desc("driver_up", "1 while the driver reaches its devices.", "driver")

	descSinkIn   = desc("sink_readings_in_total", "Readings for the sink: carried over at start, journaled since. Equals the sum of outcomes plus sluice_sink_in_journal.", "sink", "source")
	descSinkOut  = desc("sink_readings_total", "What became of the readings for the sink.", "sink", "outcome")
	descSinkWait = desc("sink_in_journal", "Readings that wait for the sink.", "sink")
	descSinkOK   = desc("sink_ok", "1 while the sink takes readings.", "sink")

	descJournalBytes    = desc("journal_bytes", "Size of the journal on disk.")
	descJournalSegments = desc("journal_segments", "Files of the journal.")
	descJournalAppended = desc("journal_appended_bytes_total", "Bytes written to the journal since the start.")
	descJournalFsyncs   = desc("journal_fsyncs_total", "Commits synced to disk since the start.")
	descJournalOK       = desc("journal_ok", "1 while the journal can be written.")
)

// Describe names no metrics: the set of drivers and sinks is not fixed.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect reports one snapshot.
func (c collector) Collect(out chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.g.pipeline.Stats()
	for _, d := range c.g.drivers {
		gauge(descUp, truth(d.status.Condition().State == "up"), d.name)
	}
	for _, i := range s.Intakes {
		counter(descReceived, i.Received, i.Driver)
		for fate, n := range map[string]uint64{
			"rejected": i.Rejected, "duplicate": i.Duplicate, "refused": i.Refused,
			"dropped": i.Dropped, "suppressed": i.Suppressed, "journaled": i.Journaled,
		} {
			counter(descFate, n, i.Driver, fate)
		}
		gauge(descIntake, float64(i.InIntake), i.Driver)
	}
	for _, r := range s.Rejections {
		counter(descRejected, r.Count, r.Driver, r.Device, r.Reason)
	}
	for _, d := range s.Deliveries {
		counter(descSinkIn, d.Carried, d.Name, "carried")
		counter(descSinkIn, d.Journaled, d.Name, "journaled")
		for outcome, n := range map[string]uint64{
			"delivered": d.Delivered, "dead_lettered": d.DeadLettered, "evicted": d.Evicted, "damaged": d.Damaged,
		} {
			counter(descSinkOut, n, d.Name, outcome)
		}
		gauge(descSinkWait, float64(d.InJournal), d.Name)
		gauge(descSinkOK, truth(d.Health.OK), d.Name)
	}
	gauge(descJournalBytes, float64(s.Journal.Bytes))
	gauge(descJournalSegments, float64(s.Journal.Segments))
	counter(descJournalAppended, s.Journal.Appended)
	counter(descJournalFsyncs, s.Journal.Fsyncs)
	gauge(descJournalOK, truth(s.Disk.OK))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
