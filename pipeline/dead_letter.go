package pipeline

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// DeadLetter is a reading that a sink has rejected for good, as one line of JSON
// keeps it. Reading is for people: JSON does not tell 1 from 1.0. Raw is what is
// replayed: the id (epoch and sequence, 8 bytes each, little-endian), the payload
// of a journal record that holds this reading alone, and the CRC32C of all that.
type DeadLetter struct {
	Sink    string          `json:"sink"`
	Reason  string          `json:"reason"`
	First   time.Time       `json:"first,omitzero"` // when it was first tried to write the reading
	Last    time.Time       `json:"last,omitzero"`  // when it was last rejected
	At      time.Time       `json:"at,omitzero"`    // in the place of both, before there was raw
	Reading json.RawMessage `json:"reading"`
	Raw     []byte          `json:"raw,omitempty"`
}

const (
	rawID  = 16 // bytes of the id in DeadLetter.Raw
	rawSum = 4  // of its checksum
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errNoRaw = errors.New("dead letter was kept by an older version, which cannot be replayed")
	errRaw   = errors.New("dead letter is damaged")
)

// parseDeadLetter reads a line.
func parseDeadLetter(line []byte) (DeadLetter, error) {
	var l DeadLetter
	if err := json.Unmarshal(line, &l); err != nil {
		return l, fmt.Errorf("%w: %w", errRaw, err)
	}
	if l.First.IsZero() {
		l.First, l.Last = l.At, l.At
	}
	l.At = time.Time{}
	return l, nil
}

// letterWriter makes the lines.
type letterWriter struct {
	encoder *encoder
	raw     []byte
	batch   protocol.Batch
}

// append appends the line of r to dst.
func (w *letterWriter) append(dst []byte, sink string, r *protocol.Reading, reason string, first, last time.Time) []byte {
	dst = append(dst, `{"sink":`...)
	dst = protocol.AppendJSONString(dst, sink)
	dst = append(dst, `,"reason":`...)
	dst = protocol.AppendJSONString(dst, reason)
	dst = append(dst, `,"first":"`...)
	dst = first.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","last":"`...)
	dst = last.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","reading":`...)
	dst = protocol.AppendJSON(dst, r)
	dst = append(dst, `,"raw":`...)
	text, _ := json.Marshal(w.encode(r)) // bytes: cannot fail
	dst = append(dst, text...)
	return append(dst, '}', '\n')
}

func (w *letterWriter) encode(r *protocol.Reading) []byte {
	w.batch.Readings = append(w.batch.Readings[:0], *r)
	w.encoder.forget()
	w.raw = binary.LittleEndian.AppendUint64(w.raw[:0], r.ID.Epoch)
	w.raw = binary.LittleEndian.AppendUint64(w.raw, r.ID.Seq)
	w.raw = w.encoder.encode(w.raw, []entry{{batch: &w.batch}}, nil)
	w.raw = binary.LittleEndian.AppendUint32(w.raw, crc32.Checksum(w.raw, castagnoli))
	return w.raw
}

// letterReader makes readings of letters. The same device keeps its pointer.
type letterReader struct {
	decoder *decoder
	letters uint64 // read so far: each has a dictionary of its own
}

// id returns whose letter it is, and an error for one that cannot be replayed.
func (l *DeadLetter) id() (protocol.ID, error) {
	if len(l.Raw) == 0 {
		return protocol.ID{}, errNoRaw
	}
	end := len(l.Raw) - rawSum
	if end < rawID || crc32.Checksum(l.Raw[:end], castagnoli) != binary.LittleEndian.Uint32(l.Raw[end:]) {
		return protocol.ID{}, errRaw
	}
	return protocol.ID{Epoch: binary.LittleEndian.Uint64(l.Raw), Seq: binary.LittleEndian.Uint64(l.Raw[8:])}, nil
}

// read decodes the reading of l into the empty r and returns its size in bytes.
func (d *letterReader) read(l *DeadLetter, r *protocol.Reading) (size int, err error) {
	id, err := l.id()
	if err != nil {
		return 0, err
	}
	d.letters++
	payload := l.Raw[rawID : len(l.Raw)-rawSum]
	if err := d.decoder.begin(journal.Record{Epoch: id.Epoch, Segment: d.letters, Seq: id.Seq, Count: 1, Payload: payload}); err != nil {
		return 0, err
	}
	size, _, err = d.decoder.next(r)
	return size, err
}
