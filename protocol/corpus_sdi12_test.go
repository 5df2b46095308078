package protocol_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sluice/protocol"
	"sluice/protocol/payload/sdi12"
)

// judgeSDI12 compares a response with values, or one that announces some.
func judgeSDI12(c corpusCase) error {
	var want struct {
		Address string
		Values  []float64
		CRC     string
		Ready   int `json:"ready_in_s"`
		Count   int
	}
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return err
	}
	if want.Values == nil {
		got, err := sdi12.ParseStart(c.Inputs[0])
		if err != nil || got != (sdi12.Start{Address: want.Address[0], Ready: time.Duration(want.Ready) * time.Second, Count: want.Count}) {
			return fmt.Errorf("got %+v, %v", got, err)
		}
		return nil
	}
	checksum := "required"
	if want.CRC == "" {
		checksum = "optional"
	}
	var b protocol.Batch
	if err := sdi12.New(sdi12.Config{Checksum: checksum}).Decode(&b, c.Inputs[0]); err != nil {
		return err
	}
	r := &b.Readings[0]
	if len(r.Metrics) != len(want.Values) || r.Device.Tags[0] != (protocol.Tag{Key: "address", Value: want.Address}) {
		return fmt.Errorf("got %v of %v", r.Metrics, r.Device)
	}
	for i, value := range want.Values {
		if m := r.Metrics[i]; m.Name != fmt.Sprintf("value_%d", i) || m.Value != protocol.Float(value) {
			return fmt.Errorf("got %v, want %v", m, value)
		}
	}
	if written := string(sdi12.AppendValues(nil, want.Address[0], want.CRC != "", want.Values...)); !strings.HasSuffix(written, want.CRC+"\r\n") || written != string(c.Inputs[0]) {
		return fmt.Errorf("written as %q", written)
	}
	return nil
}
