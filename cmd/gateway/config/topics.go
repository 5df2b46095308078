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
	wild  []topicRow
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
	for _, before := range rows.wild {
		switch {
		case before.Covers(pattern):
			d.finding(p.Node, p.name+" ", "topic", fmt.Sprintf("is %s, but %s before it takes all of that with %s: put the narrower one first", quote(topic), before.name, quote(before.String())))
			return
		case !pattern.Covers(before.Pattern) && before.Overlaps(pattern):
			d.warning(p.Node, p.name+" ", "topic", fmt.Sprintf("is %s: what %s of %s fits too goes to that one", quote(topic), quote(before.String()), before.name))
		}
	}
	if isLiteral {
		rows.fixed[literal] = p.name
	} else {
		rows.wild = append(rows.wild, topicRow{pattern, p.name})
	}
}
