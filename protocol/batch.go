package protocol

// Origin names the message that a batch came from, for sources that send a
// message again until it is acknowledged. The zero Origin means that the source
// cannot resend: what is refused then is lost.
type Origin struct {
	Driver      string
	PacketID    uint16
	Hash        uint64 // of topic and payload
	Redelivered bool   // the source says that it sent this message before
}

// CanResend reports whether the source keeps the message until acknowledged.
func (o Origin) CanResend() bool { return o.Driver != "" }

// Batch is readings that travel together, with the acknowledgement they owe.
//
// After Emit returned true the pipeline owns the batch until it calls Done;
// after false the driver keeps it. Done is called exactly once after true,
// never after false, from the pipeline's committer, and must not block: a
// driver's Done only puts the message on the driver's own acknowledgement
// queue. Its error is nil when the readings are as durable as configured (or
// were recognised as a duplicate, or a report rule suppresses or holds them
// back), otherwise they were not kept and the source must send them again. A nil
// Done is not called.
type Batch struct {
	Readings []Reading
	Flaws    []Flaw // metrics that the readings lack: the pipeline counts them
	Origin   Origin
	Done     func(error)
}

// Flaw is a metric that was left out of a reading because what was sent for it
// cannot be read, while the rest could.
type Flaw struct {
	Device  *Device
	Refusal *Refusal
}

// Add appends an empty reading and returns it. A reused batch keeps the room
// that its metrics had, so that adding to it allocates nothing. The pointer is
// valid until the next Add.
func (b *Batch) Add() *Reading {
	n := len(b.Readings)
	if n < cap(b.Readings) {
		b.Readings = b.Readings[:n+1]
		r := &b.Readings[n]
		*r = Reading{Metrics: r.Metrics[:0]}
		return r
	}
	b.Readings = append(b.Readings, Reading{})
	return &b.Readings[n]
}

// Reset empties the batch for reuse and keeps its room and its Done.
func (b *Batch) Reset() {
	b.Readings = b.Readings[:0]
	b.Flaws = b.Flaws[:0]
	b.Origin = Origin{}
}
