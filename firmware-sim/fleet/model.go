// Package fleet simulates the devices that a configuration speaks of: MQTT
// devices publish to a broker over shared connections, line devices write to
// pseudo terminals, Modbus devices and serial devices that are asked answer on
// buses. It never looks at the gateway's drivers; it is the other end of their
// wire.
//
// A Model is who there is and what they say; it is deterministic: the same seed
// gives every device the same sequence of messages, apart from the time of day.
// A Fleet plays a model against brokers and ports.
package fleet

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"sluice/firmware-sim/wire"
	"sluice/protocol"
	"sluice/protocol/frame"
	"sluice/protocol/payload"
)

// Options shapes a model.
type Options struct {
	Devices int    // for every topic that captures {device}, default 50
	Seed    uint64 // of all that is left to chance
}

// Model is the devices of one configuration. It is built by one goroutine and
// then played once.
type Model struct {
	opts    Options
	brokers []broker
	ports   []port
	buses   []busModel
	devices []*Device
	taken   map[string]bool // names that are in use
	numbers map[string]int  // last number given to a name
	notes   []string
}

// broker is what one MQTT driver talks to.
type broker struct {
	driver  string
	qos     byte
	devices []*Device
}

// port is what one serial driver talks to.
type port struct {
	driver string
	rate   float64 // characters per second that the line carries
	frame  frame.Config
	device *Device // nil: it is not simulated, and silent
}

// Row is one row of the device list: a device, or all that a topic captures.
type Row struct {
	Number  int    // in the device list, from 1
	Topic   string // MQTT: a pattern such as plant/{area}/{device}/climate
	Name    string // "" when the topic captures {device}
	Profile string // the profile's name
	Decode  *payload.Profile
	Tags    []protocol.Tag
}

// New returns a model without devices.
func New(o Options) *Model {
	if o.Devices <= 0 {
		o.Devices = 50
	}
	return &Model{opts: o, taken: make(map[string]bool), numbers: make(map[string]int)}
}

// AddBroker adds the devices behind one MQTT driver that subscribes with qos.
// The rows stand in the order in which the driver tries them.
func (m *Model) AddBroker(driver string, qos int, rows []Row) error {
	b := broker{driver: driver, qos: byte(qos)}
	var patterns []pattern
	m.reserve(rows)
	for i, row := range rows {
		p, err := parsePattern(row.Topic)
		if err != nil {
			return fmt.Errorf("simulate driver %s: topic %q %w", driver, row.Topic, err)
		}
		voices, err := newVoices(row, p)
		if m.leavesOut(row, err) {
			patterns = append(patterns, p)
			continue
		}
		if err != nil {
			return fmt.Errorf("simulate driver %s: %w", driver, err)
		}
		found := m.populate(driver, row, p, voices, patterns)
		if len(found) == 0 {
			m.notes = append(m.notes, fmt.Sprintf("driver %s: all topics of row %d (%s) belong to rows before it; no device is simulated for it",
				driver, i+1, row.Topic))
		}
		b.devices = append(b.devices, found...)
		patterns = append(patterns, p)
	}
	m.devices = append(m.devices, b.devices...)
	m.brokers = append(m.brokers, b)
	return nil
}

// AddPort adds the device at one serial port. Line is as operators say it, such
// as "9600 8N1", framing what the driver of the port expects.
func (m *Model) AddPort(driver, line string, framing frame.Config, row Row) error {
	m.reserve([]Row{row})
	found := port{driver: driver, rate: lineRate(line), frame: framing}
	voices, err := newVoices(row, pattern{})
	if err == nil {
		err = checkFrame(framing, row.Decode)
	}
	switch {
	case m.leavesOut(row, err):
	case err != nil:
		return fmt.Errorf("simulate driver %s: %w", driver, err)
	default:
		found.device = newDevice(protocol.Device{Name: row.Name, Profile: row.Profile, Driver: driver, Tags: row.Tags}, voices, m.opts.Seed)
		m.devices = append(m.devices, found.device)
	}
	m.ports = append(m.ports, found)
	return nil
}

// leavesOut notes that the devices of a row are not simulated, and reports
// whether err says that they cannot be.
func (m *Model) leavesOut(row Row, err error) bool {
	var unknown *wire.Unknown
	if !errors.As(err, &unknown) {
		return false
	}
	note := fmt.Sprintf("device %d (profile %s) is not simulated: %v", row.Number, row.Profile, unknown)
	if !slices.Contains(m.notes, note) { // of another device of the row
		m.notes = append(m.notes, note)
	}
	return true
}

// Devices returns the identities of all devices, as readings should bear them.
func (m *Model) Devices() []protocol.Device {
	list := make([]protocol.Device, len(m.devices))
	for i, d := range m.devices {
		list[i] = d.Device
	}
	return list
}

// Simulated returns the devices themselves, in the order of Devices, for those
// who play them on their own.
func (m *Model) Simulated() []*Device { return m.devices }

// Notes says what of the configuration is not simulated, and why.
func (m *Model) Notes() []string { return m.notes }

// reserve keeps the names that the operator gave from being invented.
func (m *Model) reserve(rows []Row) {
	for _, row := range rows {
		m.taken[row.Name] = true
	}
}

// populate returns the devices of one row: one of a fixed name, or as many as
// were asked for. What an earlier row would catch is left out.
func (m *Model) populate(driver string, row Row, p pattern, voices []voice, earlier []pattern) []*Device {
	count := 1
	if p.captures("device") {
		count = m.opts.Devices
	}
	var found []*Device
	for i := range count {
		name := row.Name
		if p.captures("device") {
			name = m.invent(row.Profile)
		}
		captures := p.fill(name, i)
		own := slices.Clone(voices)
		caught := false
		for v := range own {
			own[v].topic = p.topic(captures, own[v].metric)
			caught = caught || slices.ContainsFunc(earlier, func(e pattern) bool { return e.matches(own[v].topic) })
		}
		if caught {
			continue
		}
		tags := append(slices.Clone(row.Tags), p.tags(captures)...)
		d := protocol.Device{Name: name, Profile: row.Profile, Driver: driver, Tags: tags}
		found = append(found, newDevice(d, own, m.opts.Seed))
	}
	return found
}

// invent returns a name that no other device has.
func (m *Model) invent(profile string) string {
	profile = path.Base(profile) // a name is one level of a topic
	for {
		m.numbers[profile]++
		name := fmt.Sprintf("%s-%03d", profile, m.numbers[profile])
		if !m.taken[name] {
			m.taken[name] = true
			return name
		}
	}
}

// newVoices returns the messages that a device of row sends by turns: those of
// its profile, or one per metric when the topic names the metric.
func newVoices(row Row, p pattern) ([]voice, error) {
	var voices []voice
	if !p.captures("metric") {
		forms, err := wire.All(row.Profile, row.Decode)
		for _, form := range forms {
			voices = append(voices, voice{form: form})
		}
		return voices, err
	}
	for _, metric := range wire.Metrics(row.Profile, row.Decode) {
		form, err := wire.NewMetric(row.Profile, row.Decode, metric)
		if err != nil {
			return nil, err
		}
		voices = append(voices, voice{form: form, metric: metric})
	}
	return voices, nil
}

// sorted returns a copy of tags in the order of a protocol.Device, the first
// of one key.
func sorted(tags []protocol.Tag) []protocol.Tag {
	tags = slices.Clone(tags)
	slices.SortStableFunc(tags, func(a, b protocol.Tag) int { return strings.Compare(a.Key, b.Key) })
	return slices.CompactFunc(tags, func(a, b protocol.Tag) bool { return a.Key == b.Key })
}

// lineRate returns the characters per second of a line such as "9600 7E1".
func lineRate(line string) float64 {
	baud, format := 9600.0, "8N1"
	if _, err := fmt.Sscanf(line, "%g %3s", &baud, &format); err != nil || len(format) != 3 {
		format = "8N1"
	}
	bits := 1 + float64(format[0]-'0') + float64(format[2]-'0')
	if format[1] != 'N' && format[1] != 'n' {
		bits++
	}
	return math.Max(baud, 1) / bits
}
