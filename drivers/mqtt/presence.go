package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Presence says how the messages of a row tell whether their devices are there, as
// a last will does (MQTT 3.1.1, section 3.1.2.5). They hold no readings.
type Presence struct {
	Path    string `yaml:"path"`    // the message is JSON, and what counts stands at this path, such as state; "": all of the message
	Online  string `yaml:"online"`  // what is said of a device that is there, in any case of letters; default online
	Offline string `yaml:"offline"` // and of one that is not; default offline
}

// words returns what is said.
func (p *Presence) words() (online, offline string) {
	online, offline = p.Online, p.Offline
	if online == "" {
		online = "online"
	}
	if offline == "" {
		offline = "offline"
	}
	return online, offline
}

func (p *Presence) validate(report func(field, problem string)) {
	if online, offline := p.words(); strings.EqualFold(online, offline) {
		report("presence.offline", fmt.Sprintf("is %q, which online is too", offline))
	}
}

// presenceDecoder makes of each message a reading without metrics, which the
// pipeline takes for what it is.
type presenceDecoder struct{ Presence }

// Decode implements payload.Decoder.
func (p presenceDecoder) Decode(b *protocol.Batch, m payload.Message) error {
	text, err := p.text(m.Payload)
	if err != nil {
		return err
	}
	online, offline := p.words()
	says := protocol.Online
	switch {
	case strings.EqualFold(text, offline):
		says = protocol.Offline
	case !strings.EqualFold(text, online):
		return protocol.Refuse("presence", "it says %.40q, want %q or %q", text, online, offline)
	}
	r := b.Add()
	r.Device, r.ReceivedTime, r.Presence = m.Device, m.Received, says
	return nil
}

// text returns what counts of a message.
func (p presenceDecoder) text(message []byte) (string, error) {
	if p.Path == "" {
		return strings.TrimSpace(string(message)), nil
	}
	var at any
	if err := json.Unmarshal(message, &at); err != nil {
		return "", protocol.Refuse("syntax", "%v", err)
	}
	for name := range strings.SplitSeq(p.Path, ".") {
		members, _ := at.(map[string]any)
		at = members[name]
	}
	switch at := at.(type) {
	case string:
		return at, nil
	case bool, float64:
		return fmt.Sprint(at), nil
	}
	return "", protocol.Refuse("missing", "there is no text at %s", p.Path)
}
