// Package bus simulates the devices on a serial line, or behind a TCP port, for
// a program under test: Modbus slaves (RTU, ASCII, TCP, RTU over TCP) and
// devices that speak text. It is the other end of the wire.
//
//	b, err := bus.New(bus.Options{Line: "9600 8E1", Link: dir + "/port", Turnaround: 40 * time.Millisecond})
//	err = b.Add(bus.Slave{Unit: 3, Holding: []bus.Block{{Start: 100, Values: []uint16{1, 2}}}})
//	go b.Run(ctx) // the caller waits for it, and closes the bus then
//	lift := b.Inject(bus.Trouble{Fault: bus.Silent, Units: []uint8{3}})
//	// the gateway opens b.Path()
//	b.Violations() // has to be empty
//
// Bytes take the time that they take on a real line: a pseudo terminal delivers
// a request at once, so the bus computes when its last bit would have arrived,
// and hands over an answer as its bytes would come in. All deadlines are
// absolute: a machine that is late once does not stay late. Bytes are never
// handed over before their time, only after it.
//
// An arbiter watches the line. What a master must not do (talk while another
// one does, start without the silence before, ask again while an answer is due)
// is a Violation; a test demands that there is none. What the devices do wrong
// because a Trouble was injected is counted and held against no master. A bus
// that the machine keeps waiting hears a request later than it was sent, so that
// silences look longer than they were; only two requests that nobody answers look
// closer when both came while it waited.
package bus
