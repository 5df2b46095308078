package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/cmd/gateway/standin"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial/port"
	"sluice/firmware-sim/fleet"
	"sluice/firmware-sim/ledger"
	"sluice/protocol"
	"sluice/sink"
	"sluice/sink/file"
	"sluice/sink/influx"
	"sluice/sink/lineproto"
	sinkmqtt "sluice/sink/mqtt"
	"sluice/sink/nats"
)

// stage is what stands in for the world in a rehearsal.
type stage struct {
	dir     string                  // of everything that is written
	ports   string                  // folder of the serial ports
	brokers map[string]fleet.Broker // by driver
	props   []func() error          // take down what was put up, last first
}

// setStage puts up a stand-in for every broker, server and port that f names,
// and writes their addresses into f in the place of the real ones. The ledger
// hears of every reading that reaches one of them.
func setStage(f *config.File, l *ledger.Ledger) (*stage, error) {
	dir, err := temporary()
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, ports: filepath.Join(dir, "ports"), brokers: map[string]fleet.Broker{}}
	if err := s.set(f, l); err != nil {
		s.strike()
		return nil, err
	}
	return s, nil
}

func (s *stage) set(f *config.File, l *ledger.Ledger) error {
	if err := os.Mkdir(s.ports, 0o700); err != nil {
		return err
	}
	f.Pipeline.Dir = filepath.Join(s.dir, "pipeline")
	// The broker's library loses and reorders messages while a session moves
	// to another connection, which is how a driver makes up for a refusal: a
	// rehearsal must not refuse.
	f.Pipeline.Intake = max(f.Pipeline.Intake, 1<<16)
	missNobody(f)
	for i := range f.Drivers {
		d := &f.Drivers[i]
		switch {
		case d.MQTT != nil:
			if err := s.setBroker(d.Name, d.MQTT); err != nil {
				return err
			}
		case d.Serial != nil:
			d.Serial.Port = filepath.Join(s.ports, d.Name)
			bare(&d.Serial.Options)
		case d.Modbus != nil:
			if d.Modbus.Port != "" {
				d.Modbus.Port = filepath.Join(s.ports, d.Name)
			}
			bare(&d.Modbus.Options)
		}
	}
	for i := range f.Sinks {
		var err error
		switch k := &f.Sinks[i]; {
		case k.NATS != nil:
			err = s.setHub(k.Name, k.NATS, l)
		case k.Influx != nil:
			err = s.setTSDB(k.Name, k.Influx, l)
		case k.MQTT != nil:
			err = s.setUpstream(k.Name, k.MQTT, l)
		case k.File != nil:
			err = s.setFile(k.Name, k.File, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bare leaves away what the hardware around a real port does.
func bare(o *port.Options) { *o = port.DefaultOptions() }

// setBuses gives the drivers whose devices a fleet offers by TCP their addresses.
func setBuses(f *config.File, buses []fleet.Port) {
	for i := range f.Drivers {
		c := f.Drivers[i].Modbus
		at := slices.IndexFunc(buses, func(b fleet.Port) bool { return b.Driver == f.Drivers[i].Name })
		if c == nil || c.URL == "" || at < 0 {
			continue
		}
		scheme, _, _ := strings.Cut(c.URL, "://")
		c.URL = scheme + "://" + buses[at].Path
	}
}

// missNobody takes away what makes a device a silent one: those of a rehearsal stop.
func missNobody(f *config.File) {
	for _, d := range f.Drivers {
		for _, dev := range d.MQTTDevices {
			dev.Decode.StaleAfter = 0
		}
		for _, dev := range d.SerialDevices {
			dev.Decode.StaleAfter = 0
		}
		for _, dev := range d.ModbusDevices {
			dev.Decode.StaleAfter = 0
		}
	}
}

func (s *stage) setBroker(driver string, c *mqtt.Config) error {
	b, err := standin.NewBroker()
	if err != nil {
		return err
	}
	s.props = append(s.props, b.Close)
	s.brokers[driver] = fleet.Broker{URL: b.URL()}
	c.URL, c.ClientID, c.Username, c.Password, c.TLS = b.URL(), "", "", "", mqtt.TLS{}
	return nil
}

func (s *stage) setHub(name string, c *nats.Config, l *ledger.Ledger) error {
	h, err := standin.NewHub(filepath.Join(s.dir, "hub-"+name))
	if err != nil {
		return err
	}
	s.props = append(s.props, h.Close)
	c.URL, c.Username, c.Password, c.Token, c.Creds, c.TLS = h.URL(), "", "", "", "", sink.TLS{}
	c.Create = c.Stream != ""
	return h.Follow(c.Stream, func(payload []byte) {
		if err := l.FromJSON(name, payload); err != nil {
			l.Delivered(name, err.Error(), 0, nil) // no device of the fleet: unexpected
		}
	})
}

func (s *stage) setTSDB(name string, c *influx.Config, l *ledger.Ledger) error {
	db, err := standin.NewTSDB(func(p standin.Point) { fromPoint(l, name, p) })
	if err != nil {
		return err
	}
	s.props = append(s.props, db.Close)
	c.URL, c.Token, c.TLS = db.URL(), "", sink.TLS{}
	plainLines(&c.Format)
	return nil
}

func (s *stage) setUpstream(name string, c *sinkmqtt.Config, l *ledger.Ledger) error {
	b, err := standin.NewBroker()
	if err != nil {
		return err
	}
	s.props = append(s.props, b.Close)
	c.URL, c.ClientID, c.Username, c.Password, c.TLS = b.URL(), "", "", "", sink.TLS{}
	return b.Follow(c.Topic, func(payload []byte) {
		if err := l.FromJSON(name, payload); err != nil {
			l.Delivered(name, err.Error(), 0, nil)
		}
	})
}

// setFile lets a file sink write to one file in the stage's folder, whole.
func (s *stage) setFile(name string, c *file.Config, l *ledger.Ledger) error {
	path := filepath.Join(s.dir, "file-"+name)
	tail, err := standin.NewTail(path, func(text []byte) {
		if c.Format == "line" {
			p, err := standin.ParsePoint(text)
			if err != nil {
				l.Delivered(name, err.Error(), 0, nil)
				return
			}
			fromPoint(l, name, p)
		} else if err := l.FromJSON(name, text); err != nil {
			l.Delivered(name, err.Error(), 0, nil) // no device of the fleet: unexpected
		}
	})
	if err != nil {
		return err
	}
	s.props = append(s.props, tail.Close)
	c.Path, c.MaxSize, c.MaxAge, c.Gzip = path, 1<<40, 0, false
	plainLines(&c.Line)
	return nil
}

// plainLines makes lines hold what the ledger compares, no less and no more.
func plainLines(f *lineproto.Format) { f.Precision, f.Units, f.Quality = "ns", false, false }

func fromPoint(l *ledger.Ledger, name string, p standin.Point) {
	if err := l.FromPoint(name, p.Measurement, p.Tags, p.Fields, protocol.Timestamp(p.Time)); err != nil {
		l.Delivered(name, err.Error(), 0, nil)
	}
}

// strike takes everything down again.
func (s *stage) strike() error {
	var errs []error
	for i := len(s.props) - 1; i >= 0; i-- {
		errs = append(errs, s.props[i]())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
