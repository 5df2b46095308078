package main

import (
	"fmt"

	"sluice/cmd/gateway/config"
	"sluice/protocol"
	"sluice/sink/lineproto"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// delivered is what a sink makes of a reading.
type delivered struct {
	Sink string `json:"sink"`
	To   string `json:"to,omitempty"`   // subject, topic, bucket or file
	Body string `json:"body,omitempty"` // of the message, or the line; "": there is no reading
	Loss string `json:"loss,omitempty"` // what the sink cannot carry
}

// deliveredBy knows every kind of sink. r has no metrics where only the place is
// asked for.
func deliveredBy(f *config.File, s config.Sink, r *protocol.Reading) (delivered, error) {
	o := delivered{Sink: s.Name}
	var err error
	var format *lineproto.Format // nil: JSON
	switch {
	case s.NATS != nil:
		o.To, err = nats.SubjectOf(*s.NATS, f.Gateway, r.Device)
	case s.MQTT != nil:
		o.To, err = sinkmqtt.TopicOf(*s.MQTT, f.Gateway, r.Device)
	case s.Influx != nil:
		o.To, format = s.Influx.Bucket, &s.Influx.Format
	case s.File != nil:
		o.To = s.File.Path
		if s.File.Format == "line" {
			format = &s.File.Line
		}
	}
	switch {
	case err != nil || len(r.Metrics) == 0:
	case format == nil:
		o.Body = string(protocol.AppendJSON(nil, r))
	default:
		err = o.line(f.Gateway, *format, r)
	}
	if err != nil {
		return o, fmt.Errorf("sink %s: %w", s.Name, err)
	}
	return o, nil
}

// line sets the body to a line of the line protocol.
func (o *delivered) line(gateway string, format lineproto.Format, r *protocol.Reading) error {
	encoder, err := lineproto.New(gateway, format)
	if err != nil {
		return err
	}
	text, loss := encoder.Append(nil, r)
	if o.Body = string(text); loss != nil {
		o.Loss = loss.Error()
	}
	return nil
}
