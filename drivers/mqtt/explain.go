package mqtt

import (
	"fmt"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// Explain says which of a driver's devices the messages of a topic belong to:
// the device, the metric that the topic names ("" when it names none), and how
// its messages are decoded. The error says that the topic fits no device. It is
// for people who ask; the driver itself remembers.
func Explain(driver string, devices []Device, topic string) (*protocol.Device, string, *payload.Profile, error) {
	rs, err := newRoutes(driver, devices)
	if err != nil {
		return nil, "", nil, err
	}
	rows := rs.table.Load().rows
	for i := range rows {
		if captured, ok := rows[i].pattern.Match(topic); ok && legalText(topic) {
			r := rs.bind(&rows[i], captured)
			if r.device == nil {
				break
			}
			return r.device, r.metric, rows[i].Decode, nil
		}
	}
	return nil, "", nil, fmt.Errorf("topic %q fits no device of driver %s", topic, driver)
}
