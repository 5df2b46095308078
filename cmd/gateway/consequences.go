package main

import (
	"fmt"
	"io"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
)

// busyBus is the part of its time from which on a bus is called busy: what silent
// units and commands cost comes on top.
const busyBus = 0.8

// consequences are what follows from a configuration.
type consequences struct {
	Subscriptions []subscription `json:"subscriptions,omitempty"`
	Buses         []busLoad      `json:"buses,omitempty"`
}

// subscription is what a driver asks a broker for.
type subscription struct {
	Driver string   `json:"driver"`
	Topics []string `json:"topics"`
}

// busLoad is what a bus has to do.
type busLoad struct {
	Driver   string                   `json:"driver"`
	Units    int                      `json:"units"`
	Speed    string                   `json:"speed"` // of the line, or the URL
	Requests float64                  `json:"requests_per_second"`
	Load     float64                  `json:"load"`  // part of the time in which it is busy
	Reads    map[string][]modbus.Read `json:"reads"` // by profile
}

// consequencesOf works out what follows from a configuration that is right.
func consequencesOf(f *config.File) (consequences, error) {
	var c consequences
	for i := range f.Drivers {
		d := &f.Drivers[i]
		switch {
		case d.MQTT != nil:
			c.Subscriptions = append(c.Subscriptions, subscription{d.Name, mqtt.Filters(d.MQTTDevices)})
		case d.Modbus != nil:
			b, err := loadOf(d)
			if err != nil {
				return c, fmt.Errorf("driver %s: %w", d.Name, err)
			}
			c.Buses = append(c.Buses, b)
		}
	}
	return c, nil
}

func loadOf(d *config.Driver) (busLoad, error) {
	b := busLoad{Driver: d.Name, Units: len(d.ModbusDevices), Speed: d.Modbus.Line + d.Modbus.URL, Reads: map[string][]modbus.Read{}}
	for _, dev := range d.ModbusDevices {
		reads, err := modbus.Reads(*d.Modbus, dev.Decode)
		if err != nil {
			return b, err
		}
		b.Reads[dev.Profile] = reads
		for _, r := range reads {
			b.Requests += 1 / r.Every.Seconds()
		}
	}
	var err error
	b.Load, err = modbus.Load(*d.Modbus, d.ModbusDevices)
	return b, err
}

// warnings returns what works, and is better otherwise.
func (c *consequences) warnings() []string {
	var list []string
	for _, b := range c.Buses {
		if b.Load > busyBus {
			list = append(list, fmt.Sprintf("bus %s is %.0f %% busy: one silent unit, or a few commands, and polls are skipped", b.Driver, 100*b.Load))
		}
	}
	return list
}

// mostTopics is how many topics of a driver are told one by one.
const mostTopics = 8

// print writes what follows, for people.
func (c *consequences) print(w io.Writer) error {
	var text strings.Builder
	for _, s := range c.Subscriptions {
		shown := s.Topics[:min(len(s.Topics), mostTopics)]
		fmt.Fprintf(&text, "%s subscribes to %s", s.Driver, strings.Join(shown, ", "))
		if more := len(s.Topics) - len(shown); more > 0 {
			fmt.Fprintf(&text, " and %d more", more)
		}
		text.WriteByte('\n')
	}
	for _, b := range c.Buses {
		fmt.Fprintf(&text, "%s asks %s on %s: %.1f requests/s, %.0f %% busy\n", b.Driver, count(b.Units, "unit"), b.Speed, b.Requests, 100*b.Load)
		for _, profile := range sortedKeys(b.Reads) {
			var reads []string
			for _, r := range b.Reads[profile] {
				reads = append(reads, r.String())
			}
			fmt.Fprintf(&text, "  %s: %s\n", profile, strings.Join(reads, ", "))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
