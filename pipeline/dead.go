package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sluice/protocol"
	"sluice/sink"
)

// deadLetters keeps the readings that one sink has rejected for good, one JSON
// object per line, synced before the cursor moves. When the file is full it
// becomes FILE.1, and the FILE.1 before it goes.
type deadLetters struct {
	path string
	sink string
	max  int64 // bytes of one file
	buf  []byte
}

// deadSize bounds the dead letters of a sink to twice this.
const deadSize = 8 << 20

func newDeadLetters(dir, name string) *deadLetters {
	return &deadLetters{path: filepath.Join(dir, "dead", name+".ndjson"), sink: name, max: deadSize}
}

// keep writes down the rejected ones of readings.
func (d *deadLetters) keep(readings []protocol.Reading, rejected []sink.Rejection) error {
	d.buf = d.buf[:0]
	for _, r := range rejected {
		d.buf = append(d.buf, `{"sink":`...)
		d.buf = protocol.AppendJSONString(d.buf, d.sink)
		d.buf = append(d.buf, `,"reason":`...)
		d.buf = protocol.AppendJSONString(d.buf, r.Err.Error())
		d.buf = append(d.buf, `,"at":"`...)
		d.buf = time.Now().UTC().AppendFormat(d.buf, time.RFC3339Nano)
		d.buf = append(d.buf, `","reading":`...)
		d.buf = protocol.AppendJSON(d.buf, &readings[r.Index])
		d.buf = append(d.buf, '}', '\n')
	}
	if err := d.append(); err != nil {
		return fmt.Errorf("keep dead letters: %w", err)
	}
	return nil
}

func (d *deadLetters) append() error {
	size := int64(0)
	if info, err := os.Stat(d.path); err == nil {
		size = info.Size()
	}
	if size > 0 && size+int64(len(d.buf)) > d.max {
		if err := os.Rename(d.path, d.path+".1"); err != nil {
			return err
		}
		size = 0
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o750); err != nil {
		return err
	}
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(d.buf); err != nil {
		return errors.Join(err, f.Truncate(size)) // no half of a line stays
	}
	return f.Sync()
}
