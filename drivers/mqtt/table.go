package mqtt

import (
	"fmt"
	"reflect"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"

	"sluice/protocol"
	"sluice/protocol/payload"
)

// table is a driver's device list ready for use. Nothing but what is heard changes
// in it.
type table struct {
	rows  []row
	fixed map[string]int                        // the place of the first row that takes this one topic and no other
	wild  []int                                 // the places of the others
	heard *lru.Cache[heardAs, *protocol.Device] // of rows with commands; safe for concurrent use
}

// row is a Device ready for use.
type row struct {
	Device
	pattern  Pattern
	decoder  payload.Decoder
	reports  *protocol.Reports // of the profile, the same in all its rows
	commands map[string]*command
	admitted *admitted // nil: there is no Max
}

// heardAs is a device of a row. One that moved to other tags is where it was
// heard last.
type heardAs struct {
	row  int
	name string
}

// newTable returns the table of devices. Rows that stand in before as they are go on
// with what their decoders and commands know; before may be nil.
func newTable(driver string, devices []Device, before *table) (*table, error) {
	t := &table{rows: make([]row, 0, len(devices))}
	var err error
	if t.heard, err = lru.New[heardAs, *protocol.Device](maxRoutes); err != nil {
		return nil, err
	}
	known, reports := before.places(), map[*payload.Profile]*protocol.Reports{}
	now := map[int]int{} // places of rows that were there before
	for i, d := range devices {
		if at, ok := known[placeOf(d)]; ok && reflect.DeepEqual(before.rows[at].Device, d) {
			now[at] = i
			t.rows = append(t.rows, before.rows[at])
			continue
		}
		w, err := newRow(driver, i, d)
		if err != nil {
			return nil, err
		}
		if _, known := reports[d.Decode]; !known {
			reports[d.Decode] = d.Decode.Reports()
		}
		w.reports = reports[d.Decode]
		t.rows = append(t.rows, w)
	}
	t.index()
	t.remember(before, now)
	return t, nil
}

// index sorts the rows by how they are found: there may be 10,000 of one topic.
func (t *table) index() {
	t.fixed = make(map[string]int)
	for i := range t.rows {
		topic, isFixed := t.rows[i].pattern.Literal()
		if _, taken := t.fixed[topic]; isFixed && !taken {
			t.fixed[topic] = i
		} else if !isFixed {
			t.wild = append(t.wild, i)
		}
	}
}

// find returns the place of the first row that takes a topic, with what its pattern
// captures; false: none does.
func (t *table) find(topic string) (at int, captured []string, ok bool) {
	at, ok = t.fixed[topic]
	for _, i := range t.wild {
		if ok && i > at {
			break
		}
		if captured, fits := t.rows[i].pattern.Match(topic); fits {
			return i, captured, true
		}
	}
	return at, nil, ok
}

// place is what a row is found by in another table.
type place struct{ topic, name, profile string }

func placeOf(d Device) place { return place{d.Topic, d.Name, d.Profile} }

func (t *table) places() map[place]int {
	if t == nil {
		return nil
	}
	places := make(map[place]int, len(t.rows))
	for i, w := range t.rows {
		places[placeOf(w.Device)] = i
	}
	return places
}

// remember takes over the devices that were heard before of rows that are still
// there.
func (t *table) remember(before *table, now map[int]int) {
	if before == nil {
		return
	}
	for _, as := range before.heard.Keys() {
		device, ok := before.heard.Peek(as)
		if at, there := now[as.row]; ok && there {
			t.heard.Add(heardAs{at, as.name}, device)
		}
	}
}

func newRow(driver string, i int, d Device) (row, error) {
	var problem error
	d.Validate(func(field, text string) {
		if problem == nil {
			problem = fmt.Errorf("use device %d of driver %s: %s %s", i+1, driver, field, text)
		}
	})
	if problem != nil {
		return row{}, problem
	}
	if d.Decode == nil {
		return row{}, fmt.Errorf("use device %d of driver %s: profile %q says no way to decode", i+1, driver, d.Profile)
	}
	decoder, err := payload.New(*d.Decode)
	if err != nil {
		return row{}, fmt.Errorf("use profile %q: %w", d.Profile, err)
	}
	if d.Presence != nil {
		decoder = presenceDecoder{*d.Presence}
	}
	pattern, _ := ParsePattern(d.Topic)
	w := row{Device: d, pattern: pattern, decoder: decoder, commands: newCommands(d.Decode)}
	if d.Max > 0 {
		w.admitted = &admitted{names: make(map[string]bool)}
	}
	return w, nil
}

// filters returns the topic filters to subscribe to, sorted, each once.
func (t *table) filters() []string {
	var filters []string
	for i := range t.rows {
		filters = append(filters, t.rows[i].pattern.Filter())
	}
	slices.Sort(filters)
	return slices.Compact(filters)
}
