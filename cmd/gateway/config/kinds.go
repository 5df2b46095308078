package config

import (
	"reflect"
	"time"

	"go.yaml.in/yaml/v4"

	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial"
	"sluice/pipeline"
	"sluice/sink/file"
	"sluice/sink/influx"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// driverEntry is one driver in the file: the kind is the key. A new kind is one
// field here and one case below.
type driverEntry struct {
	MQTT     *yaml.Node `yaml:"mqtt"`
	Serial   *yaml.Node `yaml:"serial"`
	Modbus   *yaml.Node `yaml:"modbus"`
	Defaults *yaml.Node `yaml:"defaults"` // what holds for its device rows where they do not say otherwise
}

// sinkEntry is one sink in the file: its kind, and beside it its delivery.
type sinkEntry struct {
	NATS   *yaml.Node `yaml:"nats"`
	Influx *yaml.Node `yaml:"influx"`
	MQTT   *yaml.Node `yaml:"mqtt"`
	File   *yaml.Node `yaml:"file"`
	pipeline.Delivery
}

func (p *parser) driver(e entry) Driver {
	d := Driver{Name: e.key.Value}
	path := "drivers." + d.Name
	var decoded driverEntry
	p.decode(e.value, path, reflect.ValueOf(&decoded).Elem())
	p.rowDefaults(d.Name, path+".defaults", decoded.Defaults)
	switch kind, n := p.kind(e, path, "mqtt", "serial", "modbus"); kind {
	case "mqtt":
		c := mqtt.DefaultConfig()
		p.decode(n, path+".mqtt", reflect.ValueOf(&c).Elem())
		p.rebase(&c.TLS.CA, &c.TLS.Cert, &c.TLS.Key)
		p.validate(n, path+".mqtt.", &c)
		d.MQTT = &c
	case "serial":
		c := serial.DefaultConfig()
		p.decode(n, path+".serial", reflect.ValueOf(&c).Elem())
		p.rebase(&c.Trace)
		p.validate(n, path+".serial.", &c)
		d.Serial = &c
	case "modbus":
		c := modbus.DefaultConfig()
		p.decode(n, path+".modbus", reflect.ValueOf(&c).Elem())
		p.rebase(&c.Trace)
		p.validate(n, path+".modbus.", &c)
		d.Modbus = &c
	}
	return d
}

func (p *parser) sink(e entry) Sink {
	s := Sink{Name: e.key.Value}
	path := "sinks." + s.Name
	decoded := sinkEntry{Delivery: pipeline.DefaultDelivery()}
	switch {
	case child(e.value, "influx") != nil:
		decoded.Batch.MaxAge = 250 * time.Millisecond // a request costs more than a message
	case child(e.value, "file") != nil:
		decoded.Batch.MaxAge = time.Second // each batch is synced, which wears flash
	}
	p.decode(e.value, path, reflect.ValueOf(&decoded).Elem())
	p.validate(e.value, path+".", &decoded.Delivery)
	s.Delivery = decoded.Delivery
	switch kind, n := p.kind(e, path, "nats", "influx", "mqtt", "file"); kind {
	case "nats":
		c := nats.DefaultConfig()
		p.decode(n, path+".nats", reflect.ValueOf(&c).Elem())
		p.rebase(&c.Creds, &c.TLS.CA, &c.TLS.Cert, &c.TLS.Key)
		p.validate(n, path+".nats.", &c)
		s.NATS = &c
	case "influx":
		c := influx.DefaultConfig()
		p.decode(n, path+".influx", reflect.ValueOf(&c).Elem())
		p.rebase(&c.TLS.CA, &c.TLS.Cert, &c.TLS.Key)
		p.validate(n, path+".influx.", &c)
		s.Influx = &c
	case "mqtt":
		c := sinkmqtt.DefaultConfig()
		p.decode(n, path+".mqtt", reflect.ValueOf(&c).Elem())
		p.rebase(&c.TLS.CA, &c.TLS.Cert, &c.TLS.Key)
		p.validate(n, path+".mqtt.", &c)
		s.MQTT = &c
	case "file":
		c := file.DefaultConfig()
		p.decode(n, path+".file", reflect.ValueOf(&c).Elem())
		if c.Path != file.StandardOutput {
			p.rebase(&c.Path)
		}
		p.validate(n, path+".file.", &c)
		s.File = &c
	}
	return s
}

// kind returns which one of the kinds the entry has, and its settings; "" after
// it has reported that there is none, or several.
func (p *parser) kind(e entry, path string, kinds ...string) (string, *yaml.Node) {
	kind, settings := "", (*yaml.Node)(nil)
	for _, k := range kinds {
		n := child(e.value, k)
		switch {
		case n == nil:
		case settings != nil:
			p.report(e.key, "%s is both %s and %s, want one kind", path, kind, k)
			return "", nil
		default:
			kind, settings = k, n
		}
	}
	if _, unknown := p.misspelt[e.value]; settings == nil && !unknown && !p.bad[e.value] {
		p.report(e.value, "%s has no kind, want %s", path, oneOf(kinds))
	}
	return kind, settings
}
