package sparkplug

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"sluice/protocol"
)

// table is the head of a data set.
type table struct {
	columns [][]byte
	types   []DataType
}

// read reads the head of a data set and reports whether it is well-formed.
func (t *table) read(src []byte) bool {
	t.columns, t.types = t.columns[:0], t.types[:0]
	f := fields{left: src}
	for f.next() {
		switch {
		case f.num == 2 && f.typ == protowire.BytesType:
			t.columns = append(t.columns, f.text)
		case f.num == 3 && f.typ == protowire.VarintType:
			t.types = append(t.types, DataType(f.val))
		case f.num == 3 && f.typ == protowire.BytesType: // packed
			for p := f.text; len(p) > 0; {
				v, n := protowire.ConsumeVarint(p)
				if n < 0 {
					return false
				}
				t.types, p = append(t.types, DataType(v)), p[n:]
			}
		}
		if len(t.columns) > maxMetrics || len(t.types) > maxMetrics {
			return false
		}
	}
	return !f.bad && len(t.columns) == len(t.types)
}

// dataSet appends the fields of a table.
func (d *Decoder) dataSet(m *metric, v stamped) *protocol.Refusal {
	src := v.text
	if !d.table.read(src) {
		return protocol.Refuse("syntax", "metric %s: its data set has no columns with a type each", m.name)
	}
	defer clear(d.table.columns) // they refer to the message
	f := fields{left: src}
	for row := 0; f.member(4); row++ {
		if err := d.row(m, row, f.text, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decoder) row(m *metric, row int, src []byte, v stamped) *protocol.Refusal {
	f := fields{left: src}
	for column := 0; f.member(1); column++ {
		if column == len(d.table.columns) {
			return protocol.Refuse("syntax", "metric %s: row %d has more than %d fields", m.name, row, column)
		}
		cell := fields{left: f.text}
		v.raw = raw{}
		for cell.next() {
			v.raw.take(&cell, 1, 6)
		}
		v.datatype = d.table.types[column]
		switch {
		case cell.bad:
			return protocol.Refuse("syntax", "metric %s: row %d is not well-formed", m.name, row)
		case v.part == noPart: // null
			continue
		}
		d.name = append(append(d.name[:0], m.name...), '_')
		d.name = append(strconv.AppendInt(d.name, int64(row), 10), '_')
		d.name = append(d.name, d.table.columns[column]...)
		if err := d.named(v); err != nil {
			return err
		}
	}
	if f.bad {
		return protocol.Refuse("syntax", "metric %s: row %d is not well-formed", m.name, row)
	}
	return nil
}

// template appends the members of a template. A definition has no values.
func (d *Decoder) template(m *metric, v stamped, birth bool) *protocol.Refusal {
	definition := false
	f := fields{left: v.text}
	for f.next() {
		if f.num == 5 && f.typ == protowire.VarintType {
			definition = f.val != 0
		}
	}
	switch {
	case f.bad:
		return protocol.Refuse("syntax", "metric %s: its template is not well-formed", m.name)
	case definition:
		return nil
	case d.depth == maxDepth:
		return protocol.Refuse("size", "metric %s: templates nested deeper than %d", m.name, maxDepth)
	}
	d.depth++
	defer func() { d.depth-- }()
	for f = (fields{left: v.text}); f.member(2); {
		if err := d.metric(f.text, m.name, v, birth); err != nil {
			return err
		}
	}
	return nil
}
