package payload

import "time"

// Ask says how a device on a serial line is asked for what it reports, when it
// does not talk by itself.
type Ask struct {
	Before  []Prelude     `yaml:"before"`  // what goes before the request each time: a wake-up, the start of a measurement
	Request string        `yaml:"request"` // what is sent: text, or hex:…; {unit} stands for the device's address on the line
	Expect  string        `yaml:"expect"`  // how the answer begins, as in Request; other frames are passed over; "": any frame is the answer
	Timeout time.Duration `yaml:"timeout"` // from the last bit of the request to the end of the answer, default 500ms
	Retries int           `yaml:"retries"` // how often a request is sent again that was not answered, default 1
}

// Prelude is something that is sent before a request.
type Prelude struct {
	Send   string        `yaml:"send"`   // as Ask.Request
	Answer bool          `yaml:"answer"` // a frame comes back, which is waited for and of no other interest
	Pause  time.Duration `yaml:"pause"`  // before what follows
}
