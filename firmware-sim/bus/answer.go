package bus

import "time"

// Answer is what one answer said about one table, or one text that a Device
// said. A ReadWriteRegisters request makes two.
type Answer struct {
	Unit    uint8
	Table   Table
	Address uint16    // of the first value
	Values  []uint16  // nil for a text
	Written bool      // the request wrote them
	Text    []byte    // what a Device said, as it was before it was spoilt
	At      time.Time // when the last byte is handed to the master
	Faults  Faults    // what was done to it on the way
}

// Sound reports whether a master that was patient enough got the answer as the
// device meant it: noise around it, an echo before it or a pause in it does not
// change that.
func (a *Answer) Sound() bool { return a.Faults&spoiling == 0 }
