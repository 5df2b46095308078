// Package report decides which readings are worth a place in the journal, as the
// profiles' report rules say, and knows of every device when it was last heard.
//
// A reading is reported whole or not at all, for a row in a sink should hold
// values of one moment: it goes when at least one of its metrics is due. A metric
// is due
//
//   - the first time, and when its quality has changed;
//   - when it has changed, by more than its deadband from the last value that was
//     reported (not the last that came: slow drift adds up until it shows);
//   - when max has passed since it was reported, looked at when a reading comes;
//   - always, where that is asked for.
//
// What would be due but for min is held: the newest such reading of a device waits
// until min has passed, so that the sink ends up with the last value, and makes way
// for a newer one. It counts as in the intake until then. Times are the readings'
// own, so that messages that queued up somewhere are judged by when they were
// measured. A reading that is marked historical, or is older than what was
// reported, is always reported.
//
// State is kept in memory: after a restart, and after a batch that could not be
// kept, the next reading of a device is reported.
package report
