package mqtt

import (
	"testing"

	"sluice/protocol"
	"sluice/protocol/payload"
)

func TestPresenceMessages(t *testing.T) {
	for _, test := range []struct {
		p             Presence
		message, want string
	}{
		{Presence{}, "online", "online"},
		{Presence{}, " Offline\n", "offline"},
		{Presence{}, "lost", "presence"},
		{Presence{Online: "true", Offline: "false"}, "false", "offline"},
		{Presence{Path: "state"}, `{"state":"online"}`, "online"},
		{Presence{Path: "a.up", Online: "1", Offline: "0"}, `{"a":{"up":0}}`, "offline"},
		{Presence{Path: "up", Online: "true", Offline: "false"}, `{"up":true}`, "online"},
		{Presence{Path: "state"}, "online", "syntax"},
		{Presence{Path: "state"}, `{"states":[]}`, "missing"},
		{Presence{Path: "state.x"}, `{"state":"online"}`, "missing"},
	} {
		var b protocol.Batch
		got := ""
		switch err := (presenceDecoder{test.p}).Decode(&b, payload.Message{Payload: []byte(test.message), Device: &protocol.Device{}, Received: 7}); {
		case err != nil:
			got = err.(*protocol.Refusal).Reason
		case len(b.Readings) != 1 || len(b.Readings[0].Metrics) != 0 || b.Readings[0].ReceivedTime != 7:
			got = "another reading"
		default:
			got = map[protocol.Presence]string{protocol.Online: "online", protocol.Offline: "offline"}[b.Readings[0].Presence]
		}
		if got != test.want {
			t.Errorf("%+v: %q is %s, want %s", test.p, test.message, got, test.want)
		}
	}
}
