package protocol

import "fmt"

// Refusal says why a message or a frame gives no reading.
type Refusal struct {
	Reason string // a counter's label, one word of Reasons
	Err    error  // the details, for people
}

// Reasons are the words that a Refusal may carry:
//
//	empty     there is nothing in it
//	size      it is longer, deeper or more than the limits allow
//	syntax    its bytes do not follow the format
//	utf8      a text is not UTF-8
//	checksum  its checksum is wrong
//	missing   it holds none of the metrics
//	type      a value is not what the profile says
//	time      its time cannot be read
//	no_match  it does not match the expression
//	kind      it follows the format, but is of a kind that holds no reading
//	sequence  what it refers to, such as an alias, was said before we listened
//	encoding  it is not compressed or encoded as the profile says
func Reasons() []string {
	return []string{"empty", "size", "syntax", "utf8", "checksum", "missing", "type", "time", "no_match", "kind", "sequence", "encoding"}
}

// Refuse returns a Refusal for a reason and details as fmt.Errorf takes them.
func Refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Error returns the reason and the details.
func (r *Refusal) Error() string { return r.Reason + ": " + r.Err.Error() }

// Unwrap returns the details.
func (r *Refusal) Unwrap() error { return r.Err }
