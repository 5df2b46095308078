package wire

import (
	"errors"
	"fmt"

	"sluice/protocol/payload"
)

// Unknown is the error for profiles whose messages the simulator does not know
// how to write.
type Unknown struct {
	What string // of the profile
}

// Error returns what is not known.
func (u *Unknown) Error() string { return u.What + " is not known to the simulator" }

// New returns the form of a profile whose devices send one kind of message.
// The name helps to guess what a profile without a list of metrics would report.
func New(name string, p *payload.Profile) (*Form, error) {
	return newForm(name, p, func(f *Form) error { return f.build(name, p, "") })
}

// All returns the forms of the messages that a device sends by turns.
func All(name string, p *payload.Profile) ([]*Form, error) {
	if p.Decode.NMEA != nil {
		return newSentences(name, p)
	}
	f, err := New(name, p)
	return []*Form{f}, err
}

// newForm returns a form as build makes it, with what stands around its
// messages.
func newForm(name string, p *payload.Profile, build func(*Form) error) (*Form, error) {
	f := &Form{}
	err := build(f)
	if err == nil {
		f.wraps, err = newWraps(p)
	}
	if err == nil {
		err = f.try()
	}
	if err != nil {
		return nil, fmt.Errorf("simulate profile %q: %w", name, err)
	}
	return f, nil
}

// build chooses how messages are written: the one place that knows all. Only is
// the metric that the topic names, "" for none.
func (f *Form) build(name string, p *payload.Profile, only string) error {
	switch d := &p.Decode; {
	case d.JSON != nil:
		return f.object(name, p, d.JSON.Each, only, (*treeShape).json)
	case d.CBOR != nil:
		return f.object(name, p, d.CBOR.Each, only, (*treeShape).cbor)
	case d.MsgPack != nil:
		return f.object(name, p, d.MsgPack.Each, only, (*treeShape).msgpack)
	case d.SenML != nil:
		return f.senml(name, p, only)
	case d.Influx != nil:
		return f.influx(name, p, only)
	case d.CayenneLPP != nil:
		return f.cayenne(p, only)
	case d.Ruuvi != nil:
		return f.ruuvi(p, only)
	case d.NMEA != nil:
		return f.nmea(p, sentences[0])
	case d.Value != nil:
		return f.value(p, only)
	case d.Regex != "":
		f.spell = allTexts
		return f.regex(p)
	case d.CSV != nil:
		f.spell = allTexts
		return f.csv(p)
	}
	if p.Decode.Kind() == "" {
		return errors.New("profile has no decode that can be simulated")
	}
	return &Unknown{"decode " + p.Decode.Kind()}
}

// object makes messages that are trees, in the spelling that write gives them.
func (f *Form) object(name string, p *payload.Profile, each, only string, write func(*treeShape) layout) error {
	shape, err := f.tree(name, p, each, only)
	if err == nil {
		f.layout = write(shape)
	}
	return err
}
