package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"sluice/drivers/modbus"
	"sluice/drivers/mqtt"
	"sluice/drivers/serial"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// row is one row of the device list.
type row struct {
	Via      string            `yaml:"via"`      // the driver that talks to it
	Profile  string            `yaml:"profile"`  // what it reports: one of profiles, or builtin/…
	Topic    string            `yaml:"topic"`    // MQTT: where it publishes; {device} and other names in braces capture a level
	Device   string            `yaml:"device"`   // its name; with MQTT what the topic captures, otherwise
	Unit     string            `yaml:"unit"`     // its address on the bus; of several, such as 1-10,12, {unit} in device
	Tags     map[string]string `yaml:"tags"`     // what else its readings bear
	From     string            `yaml:"from"`     // a CSV file with more such rows: its first line names keys, those of mappings joined by dots
	Max      int               `yaml:"max"`      // MQTT: how many devices the topic may capture; those beyond are turned away. 0: any number
	Presence *mqtt.Presence    `yaml:"presence"` // MQTT: the messages say whether the devices are there, as a last will does, and hold no readings

	override // any key of a profile: it holds in the place of the profile's
}

// devices decodes the device list and gives each driver its own. It reports
// whether f then has all devices, with all their tags.
func (p *parser) devices(root, n *yaml.Node, f *File) bool {
	if n == nil {
		p.finding(root, "", "devices", "is required: which device is where")
		return false
	}
	if !p.expect(n, yaml.SequenceNode, "devices") {
		return false
	}
	before := len(p.problems)
	d := deviceList{
		parser: p, file: f, profiles: child(root, "profiles"), variants: make(map[string]*payload.Profile),
		fixed: make(map[[3]string]string), used: make(map[string]string), topics: make(map[string]*topicRows),
		framed: make(map[string]*payload.Profile),
	}
	d.blind = len(f.Profiles) == 0 && (child(root, "profiles") != nil || slices.Contains(p.misspelt[root], "profiles"))
	for _, r := range d.rows(n) {
		d.add(r)
	}
	if d.astray {
		return false
	}
	for i := range f.Drivers {
		if len(p.problems) == before {
			if err := fits(&f.Drivers[i]); err != nil {
				p.finding(root, "", "drivers."+f.Drivers[i].Name, "cannot be polled so often: "+err.Error())
			}
		}
		if name := f.Drivers[i].Name; d.used[name] == "" {
			p.finding(root, "", "drivers."+name, "has no device: no row of devices is via "+name)
		}
	}
	return len(p.problems) == before && !p.anyIn(n, p.isBad)
}

// fits returns an error with the arithmetic when a driver's line is too slow for
// what its devices want.
func fits(d *Driver) error {
	switch {
	case d.Modbus != nil:
		return modbus.Fits(*d.Modbus, d.ModbusDevices)
	case d.Serial != nil:
		return serial.Fits(*d.Serial, d.SerialDevices)
	}
	return nil
}

// deviceList resolves the rows of the device list.
type deviceList struct {
	*parser
	file     *File
	profiles *yaml.Node                  // the file's; nil: it has none
	variants map[string]*payload.Profile // by name and override
	fixed    map[[3]string]string        // driver, device name and topic → what its row is called
	used     map[string]string           // driver → what its first row is called
	topics   map[string]*topicRows       // by MQTT driver
	framed   map[string]*payload.Profile // serial driver without frame → whose frames it has
	astray   bool                        // a row names no driver, so which have none is unknown
	blind    bool                        // the file's profiles cannot be read, so which there are is unknown
}

// add resolves one row.
func (d *deviceList) add(p placed) {
	n, prefix := p.Node, p.name+" "
	var r row
	d.fields(n, prefix, reflect.ValueOf(&r).Elem())
	d.checkReferences(n, prefix)
	report := func(field, problem string) { d.finding(n, prefix, field, problem) }
	d.checkProfile(r, report)
	tags := checkTags(r, report)
	driver := d.driverOf(r, report)
	if driver == nil {
		d.astray = true
		return
	}
	unique := driver.MQTT == nil || d.checkName(r, p.name, report)
	if driver.MQTT == nil && r.Presence != nil {
		report("presence", "is for an mqtt driver")
	}
	if driver.MQTT == nil && r.Max != 0 {
		report("max", "is for an mqtt driver, whose topics capture devices")
	}
	decode := d.overridden(n, r, prefix)
	checkKind(r, driver, decode, report)
	d.file.Devices = append(d.file.Devices, Device{r.Via, r.Profile, r.Topic, r.Device, tags})
	d.checkCommands(r, driver, decode, tags, report)
	switch {
	case driver.MQTT != nil:
		dev := mqtt.Device{Topic: r.Topic, Name: r.Device, Profile: r.Profile, Decode: decode, Tags: tags, Max: r.Max, Presence: r.Presence}
		dev.Validate(report)
		if unique {
			d.takeTopic(r.Via, p, r.Topic)
		}
		driver.MQTTDevices = append(driver.MQTTDevices, dev)
	case driver.Serial != nil:
		d.stations(r, driver, decode, tags, report)
	case driver.Modbus != nil:
		d.units(r, driver, decode, tags, report)
	}
	if d.used[r.Via] == "" {
		d.used[r.Via] = p.name
	}
}

// checkReferences refuses references to what has a name in this file: whether
// it is there could not be said before the references are resolved.
func (d *deviceList) checkReferences(n *yaml.Node, prefix string) {
	for _, key := range []string{"via", "profile"} {
		if c := child(n, key); c != nil && d.isExpanded(c) {
			d.report(c, "%s%s is %s, want a name that is in this file", prefix, key, quote(c.Value))
		}
	}
}

func (d *deviceList) driverOf(r row, report func(field, problem string)) *Driver {
	if r.Via == "" {
		report("via", "is required: the driver that talks to it")
		return nil
	}
	if i := slices.IndexFunc(d.file.Drivers, func(d Driver) bool { return d.Name == r.Via }); i >= 0 {
		return &d.file.Drivers[i]
	}
	if len(d.file.Drivers) == 0 {
		return nil // that was reported, and says enough
	}
	var names []string
	for i := range d.file.Drivers {
		names = append(names, d.file.Drivers[i].Name)
	}
	report("via", unknownName(r.Via, "driver", names))
	return nil
}

func (d *deviceList) checkProfile(r row, report func(field, problem string)) {
	if r.Profile == "" {
		report("profile", "is required: what it reports")
		return
	}
	if d.namedProfile(r.Profile) != nil || d.blind {
		return
	}
	known, ours := sortedKeys(d.file.Profiles), strings.HasPrefix(r.Profile, builtinPrefix)
	for _, b := range Builtins() {
		if ours || b.Name == builtinPrefix+r.Profile {
			known = append(known, b.Name)
		}
	}
	problem := unknownName(r.Profile, "profile", known)
	if ours && !strings.Contains(problem, "?") {
		problem += ": gateway profiles ls lists them"
	}
	report("profile", problem)
}

// checkName refuses the same device twice behind one driver, and reports whether
// it is there once. One that publishes on several topics has a row for each.
func (d *deviceList) checkName(r row, name string, report func(field, problem string)) bool {
	if r.Device == "" {
		return true
	}
	key := [3]string{r.Via, r.Device, r.Topic}
	if first := d.fixed[key]; first != "" {
		report("device", fmt.Sprintf("is %q, want a name of its own: %s has that one", r.Device, first))
		return false
	}
	d.fixed[key] = name
	return true
}

// checkTags returns the row's tags sorted by name. The words that topics and
// templates use for other things cannot name a tag.
func checkTags(r row, report func(field, problem string)) []protocol.Tag {
	var tags []protocol.Tag
	for _, key := range sortedKeys(r.Tags) {
		switch {
		case slices.Contains(reserved, key) || key == "metric":
			report("tags."+key, "is not free as the name of a tag: the word has a meaning of its own")
		case strings.ContainsAny(key, "{} \t\r\n"):
			report("tags."+key, "is not the name of a tag: it has blanks or braces")
		}
		tags = append(tags, protocol.Tag{Key: key, Value: r.Tags[key]})
	}
	return tags
}

// unknownName says that there is no driver or profile of that name.
func unknownName(name, noun string, known []string) string {
	problem := fmt.Sprintf("is %s, but there is no such %s", quote(name), noun)
	if near := nearest(name, known); len(near) > 0 {
		return problem + "; " + didYouMean(near)
	}
	const listed = 8
	if len(known) == 0 || len(known) > listed {
		return problem
	}
	return problem + ", want " + oneOf(known)
}
