package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"sluice/drivers"
	"sluice/pipeline"
)

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
	descFlawed   = desc("metrics_rejected_total", "Metrics that readings were kept without, because what was sent for them cannot be read, by device and reason.", "driver", "device", "reason")
	descRejected = desc("rejected_total", "Messages that gave no reading, by device and reason.", "driver", "device", "reason")
	descSkipped  = desc("skipped_bytes_total", "Bytes that belong to no message, such as noise on a line.", "driver")
	descTold     = desc("commands_total", "Commands to devices, by outcome: done, not sent, without an answer in time, or failed otherwise.", "driver", "outcome")
	descReplies  = desc("replies_dropped_total", "Answers that a driver owed its devices by itself and dropped because nobody took them.", "driver")
	descAsked    = desc("requests_total", "Requests to devices that are asked, commands among them: first ones, and those sent again.", "driver", "kind")
	descUnasked  = desc("polls_skipped_total", "Polls left out, because the line was busy or away when they had their place.", "driver")
	descDemoted  = desc("devices_demoted", "Devices that do not answer and are asked only once in a while.", "driver")
	descDevices  = desc("devices", "Devices that are expected or were heard, by presence: unheard, live, silent (nothing came for their stale_after), offline (they said so).", "driver", "state")
	descUp       = desc("driver_up", "1 while the driver reaches its devices.", "driver")

	descSinkIn      = desc("sink_readings_in_total", "Readings for the sink: carried over at start, journaled since, backfilled by a replay. Equals the sum of outcomes plus sluice_sink_in_journal.", "sink", "source")
	descSinkOut     = desc("sink_readings_total", "What became of the readings for the sink.", "sink", "outcome")
	descSinkEvict   = desc("sink_evicted_total", "Readings that the journal had to let go of before the sink took them, by reason. Their sum is the outcome evicted.", "sink", "reason")
	descSinkWait    = desc("sink_in_journal", "Readings that wait for the sink.", "sink")
	descSinkBytes   = desc("sink_in_journal_bytes", "Size in the journal of what the sink has yet to read.", "sink")
	descSinkLag     = desc("sink_lag_seconds", "Time since the oldest reading that waits for the sink was accepted, by the gateway's clock.", "sink")
	descSinkMissed  = desc("sink_backlog", "Readings, of those that wait for the sink, that newer ones overtake.", "sink")
	descSinkLatency = desc("sink_latency_seconds", "From the acceptance of readings to the sink's confirmation, without those that newer ones overtake.", "sink")
	descSinkTraffic = desc("sink_wire_bytes_total", "Bytes exchanged with the far end, as far as the sink knows.", "sink", "direction")
	descSinkAsked   = desc("sink_requests_total", "Requests or messages sent to the far end.", "sink")
	descSinkWrites  = desc("sink_writes_total", "Writes of a batch, or a part of one, by result: stored, rejected as a whole, failed and tried again.", "sink", "result")
	descSinkDoubted = desc("sink_possibly_duplicated_total", "Readings written although the far end could not tell whether it had them.", "sink")
	descBreaker     = desc("sink_breaker", "1 for the state that the sink's circuit breaker is in.", "sink", "state")
	descFallbackOK  = desc("fallback_ok", "1 while the fallback takes readings.", "sink")
	descSinkOK      = desc("sink_ok", "1 while the sink takes readings.", "sink")
	descDeadLost    = desc("dead_letters_dropped_total", "Dead letters deleted: by reason bound for want of room, by reason command when asked to.", "sink", "reason")
	descReplaying   = desc("dead_letters_replaying", "1 while dead letters of the sink are being replayed.", "sink")
	descUnclaimed   = desc("unclaimed_in_journal", "Readings kept for a sink that is not configured.", "sink")

	descJournalBytes    = desc("journal_bytes", "Size of the journal on disk.")
	descJournalSegments = desc("journal_segments", "Files of the journal.")
	descJournalAppended = desc("journal_appended_bytes_total", "Bytes written to the journal since the start.")
	descJournalFsyncs   = desc("journal_fsyncs_total", "Commits synced to disk since the start.")
	descJournalCommits  = desc("journal_commit_seconds", "How long syncing a commit to disk took.")
	descJournalVolatile = desc("journal_volatile_readings_total", "Readings accepted into memory, because the disk failed or the durability is memory.")
	descJournalInMemory = desc("journal_memory_bytes", "Size of what is in memory alone.")
	descJournalRepairs  = desc("journal_repairs_total", "What the journal found wrong and went on from, by kind; the unit depends on the kind.", "kind")
	descJournalOK       = desc("journal_ok", "1 while the journal can be written.")
)

// Describe names no metrics: the set of drivers and sinks is not fixed.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect reports one snapshot.
func (c collector) Collect(out chan<- prometheus.Metric) {
	r := report{out}
	s := c.g.pipeline.Stats()
	for _, d := range c.g.parts() {
		r.gauge(descUp, truth(d.status.Condition().State == "up"), d.name)
		r.told(d)
	}
	r.devices(c.g.pipeline.Presence(0), s.Intakes)
	for _, i := range s.Intakes {
		r.intake(i)
	}
	for _, x := range s.Rejections {
		r.counter(descRejected, x.Count, x.Driver, x.Device, x.Reason)
	}
	for _, x := range s.Flaws {
		r.counter(descFlawed, x.Count, x.Driver, x.Device, x.Reason)
	}
	for _, d := range s.Deliveries {
		r.delivery(d)
	}
	for _, f := range s.Fallbacks {
		r.gauge(descFallbackOK, truth(f.Health.OK), f.Name)
	}
	for _, u := range s.Unclaimed {
		r.gauge(descUnclaimed, float64(u.InJournal), u.Name)
	}
	r.journal(s)
}

// report writes the parts of a snapshot as metrics.
type report struct{ out chan<- prometheus.Metric }

func (r report) counter(d *prometheus.Desc, v uint64, labels ...string) {
	r.out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
}

func (r report) gauge(d *prometheus.Desc, v float64, labels ...string) {
	r.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (r report) histogram(d *prometheus.Desc, h pipeline.Histogram, labels ...string) {
	buckets, total := map[float64]uint64{}, uint64(0)
	for i, n := range h.Counts {
		total += n
		if i < len(h.Counts)-1 { // the last one has no bound
			buckets[h.Bound(i).Seconds()] = total
		}
	}
	r.out <- prometheus.MustNewConstHistogram(d, total, h.Sum.Seconds(), buckets, labels...)
}

func (r report) intake(i pipeline.IntakeStats) {
	r.counter(descReceived, i.Received, i.Driver)
	for fate, n := range map[string]uint64{
		"rejected": i.Rejected, "duplicate": i.Duplicate, "refused": i.Refused,
		"dropped": i.Dropped, "suppressed": i.Suppressed, "journaled": i.Journaled,
	} {
		r.counter(descFate, n, i.Driver, fate)
	}
	r.counter(descSkipped, i.SkippedBytes, i.Driver)
	r.gauge(descIntake, float64(i.InIntake), i.Driver)
}

func (r report) told(d *driver) {
	for outcome, n := range d.told.all() {
		r.counter(descTold, n, d.name, outcome)
	}
	if replier, ok := d.driver.(drivers.Replier); ok {
		r.counter(descReplies, replier.DroppedReplies(), d.name)
	}
	if asker, ok := d.driver.(drivers.Asker); ok {
		s := asker.Stats()
		r.counter(descAsked, uint64(s.Requests-s.Retries), d.name, "first")
		r.counter(descAsked, uint64(s.Retries), d.name, "again")
		r.counter(descUnasked, uint64(s.Skipped), d.name)
		r.gauge(descDemoted, float64(s.Demoted), d.name)
	}
}

func (r report) devices(p pipeline.PresenceSummary, intakes []pipeline.IntakeStats) {
	for _, i := range intakes {
		for _, state := range pipeline.PresenceStates() {
			r.gauge(descDevices, float64(p.Of(i.Driver, state)), i.Driver, string(state))
		}
	}
}

func (r report) delivery(d pipeline.DeliveryStats) {
	r.counter(descSinkIn, d.Carried, d.Name, "carried")
	r.counter(descSinkIn, d.Journaled, d.Name, "journaled")
	r.counter(descSinkIn, d.Backfilled, d.Name, "backfilled")
	for outcome, n := range map[string]uint64{
		"delivered": d.Delivered, "diverted": d.Diverted, "dead_lettered": d.DeadLettered, "evicted": d.Evicted.Total(), "damaged": d.Damaged,
	} {
		r.counter(descSinkOut, n, d.Name, outcome)
	}
	d.Evicted.Each(func(reason string, n uint64) { r.counter(descSinkEvict, n, d.Name, reason) })
	r.gauge(descSinkWait, float64(d.InJournal), d.Name)
	r.gauge(descSinkBytes, float64(d.Bytes), d.Name)
	r.gauge(descSinkLag, d.Lag.Seconds(), d.Name)
	r.gauge(descSinkMissed, float64(d.Backlog), d.Name)
	r.histogram(descSinkLatency, d.Latency, d.Name)
	r.counter(descSinkWrites, d.Writes.Stored, d.Name, "stored")
	r.counter(descSinkWrites, d.Writes.Rejected, d.Name, "rejected")
	r.counter(descSinkWrites, d.Writes.Failed, d.Name, "failed")
	r.counter(descSinkDoubted, d.Doubted, d.Name)
	if t := d.Traffic; t.Requests > 0 {
		r.counter(descSinkAsked, t.Requests, d.Name)
		r.counter(descSinkTraffic, t.Sent, d.Name, "sent")
		r.counter(descSinkTraffic, t.Received, d.Name, "received")
	}
	for _, state := range []string{"closed", "half-open", "open"} {
		r.gauge(descBreaker, truth(d.Breaker == state), d.Name, state)
	}
	r.gauge(descSinkOK, truth(d.Health.OK), d.Name)
	r.counter(descDeadLost, d.Dead.Evicted, d.Name, "bound")
	r.counter(descDeadLost, d.Dead.Dropped, d.Name, "command")
	r.gauge(descReplaying, truth(d.Dead.Replaying), d.Name)
}

func (r report) journal(s pipeline.Stats) {
	j := s.Journal
	r.gauge(descJournalBytes, float64(j.Bytes))
	r.gauge(descJournalSegments, float64(j.Segments))
	r.counter(descJournalAppended, j.Appended)
	r.counter(descJournalFsyncs, j.Fsyncs)
	r.histogram(descJournalCommits, j.Commits)
	r.counter(descJournalVolatile, j.Volatile)
	r.gauge(descJournalInMemory, float64(j.InMemory))
	for kind, n := range j.Repairs {
		r.counter(descJournalRepairs, n, string(kind))
	}
	r.gauge(descJournalOK, truth(s.Disk.OK))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
