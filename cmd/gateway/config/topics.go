package config

import (
	"fmt"

	"sluice/drivers/mqtt"
)

// topicRow is a row of an MQTT driver whose topic has wildcards or captures.
type topicRow struct {
	mqtt.Pattern
	name string
}

// topicRows are the rows of an MQTT driver so far: the first one that a message
// fits takes it.
type topicRows struct {
	fixed map[string]string // by topic: what its row is called
	wild  topicTree
}

// topicTree is rows by the levels of their topics before the first wildcard: of two
// that overlap, those of one begin with those of the other.
type topicTree struct {
	rows  []topicRow
	below map[string]*topicTree
}

// add adds a row whose topic begins with these levels.
func (t *topicTree) add(levels []string, row topicRow) {
	for _, level := range levels {
		if t.below == nil {
			t.below = make(map[string]*topicTree)
		}
		if t.below[level] == nil {
			t.below[level] = &topicTree{}
		}
		t = t.below[level]
	}
	t.rows = append(t.rows, row)
}

// near calls see for the rows that may overlap one that begins with these levels,
// until it returns false.
func (t *topicTree) near(levels []string, see func(topicRow) bool) bool {
	for _, row := range t.rows {
		if !see(row) {
			return false
		}
	}
	if len(levels) > 0 {
		next := t.below[levels[0]]
		return next == nil || next.near(levels[1:], see)
	}
	for _, next := range t.below {
		if !next.near(nil, see) {
			return false
		}
	}
	return true
}

// takeTopic refuses a row whose messages rows before it take, all of them, and
// warns when they take some.
func (d *deviceList) takeTopic(driver string, p placed, topic string) {
	pattern, err := mqtt.ParsePattern(topic)
	if err != nil {
		return // the row's own Validate has reported it
	}
	rows := d.topics[driver]
	if rows == nil {
		rows = &topicRows{fixed: make(map[string]string)}
		d.topics[driver] = rows
	}
	literal, isLiteral := pattern.Literal()
	if before := rows.fixed[literal]; isLiteral && before != "" {
		d.finding(p.Node, p.name+" ", "topic", fmt.Sprintf("is %s, which %s has already", quote(topic), before))
		return
	}
	levels := pattern.Prefix()
	reached := rows.wild.near(levels, func(before topicRow) bool {
		switch {
		case before.Covers(pattern):
			d.finding(p.Node, p.name+" ", "topic", fmt.Sprintf("is %s, but %s before it takes all of that with %s: put the narrower one first", quote(topic), before.name, quote(before.String())))
			return false
		case !pattern.Covers(before.Pattern) && before.Overlaps(pattern):
			d.warning(p.Node, p.name+" ", "topic", fmt.Sprintf("is %s: what %s of %s fits too goes to that one", quote(topic), quote(before.String()), before.name))
		}
		return true
	})
	switch {
	case !reached:
	case isLiteral:
		rows.fixed[literal] = p.name
	default:
		rows.wild.add(levels, topicRow{pattern, p.name})
	}
}
