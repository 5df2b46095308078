package config

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// table returns the rows of a CSV file (RFC 4180, with commas or semicolons, and
// comments behind #): its first line names keys of a row, those of mappings
// joined by dots, and each further line is a row. What a cell does not say is as
// in the row n, which asks for the file.
func (d *deviceList) table(n, from *yaml.Node, name string) []placed {
	path, ok := d.text(from)
	switch {
	case from.Kind != yaml.ScalarNode || path == "":
		d.report(from, "%s from is %s, want the path of a CSV file", name, found(from))
		return nil
	case !ok:
		return nil
	}
	d.rebase(&path)
	var rows []placed
	d.within(from, path, func(text []byte) {
		t := &csvTable{deviceList: d, lines: splitLines(text)}
		if t.readable(text) {
			rows = t.rows(d.without(n, "from"), text)
		}
	})
	return rows
}

// csvTable is a CSV file that becomes rows of the device list.
type csvTable struct {
	*deviceList
	lines   []string
	columns []*yaml.Node // the keys, in the order of the columns; nil: one that is not to be used
}

func (t *csvTable) rows(template *yaml.Node, text []byte) []placed {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff")))
	r.Comment, r.TrimLeadingSpace, r.ReuseRecord = '#', true, true
	if head := t.lines[0]; strings.Contains(head, ";") && !strings.Contains(head, ",") {
		r.Comma = ';'
	}
	var rows []placed
	for {
		cells, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case err == io.EOF:
			return rows
		case errors.As(err, &wrong) && errors.Is(err, csv.ErrFieldCount):
			t.reportAt(wrong.Line, 1, "this line has %d cells, the first one %d", len(cells), len(t.columns))
			continue
		case errors.As(err, &wrong):
			t.reportAt(wrong.Line, t.column(wrong.Line, wrong.Column), "%v", wrong.Err)
			return rows
		case err != nil:
			t.reportAt(1, 1, "%v", err)
			return rows
		}
		nodes := t.nodes(r, cells)
		if t.columns == nil {
			t.head(nodes)
			continue
		}
		line, _ := r.FieldPos(0)
		rows = append(rows, placed{t.row(template, nodes), fmt.Sprintf("line %d", line)})
	}
}

// nodes returns the cells as texts at their places.
func (t *csvTable) nodes(r *csv.Reader, cells []string) []*yaml.Node {
	nodes := make([]*yaml.Node, len(cells))
	for i, cell := range cells {
		line, column := r.FieldPos(i)
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(cell), Line: line, Column: t.column(line, column)}
		t.files[nodes[i]] = t.reading
	}
	return nodes
}

// column returns the column in characters of one in bytes.
func (t *csvTable) column(line, bytes int) int {
	text := t.lines[min(line, len(t.lines))-1]
	return utf8.RuneCountInString(text[:min(max(bytes-1, 0), len(text))]) + 1
}

// rowKeys are the keys of a device row.
var rowKeys = keysOfType(reflect.TypeFor[row]())

// head takes the line that names the columns.
func (t *csvTable) head(names []*yaml.Node) {
	t.columns = names
	for i, n := range names {
		first, _, _ := strings.Cut(n.Value, ".")
		switch {
		case n.Value == "" || strings.Contains("."+n.Value+".", ".."):
			t.report(n, "column %d has no name, want a key of a device row", i+1)
		case first == "from" || first == "max":
			t.report(n, "column %s is not for a table", quote(n.Value))
		case !slices.Contains(rowKeys, first):
			t.unknownKey(n, n, "a row of devices", rowKeys)
		}
		if t.bad[n] {
			t.columns[i] = nil
		}
		for _, before := range names[:i] {
			if before != nil && t.columns[i] != nil && before.Value == n.Value {
				t.report(n, "duplicate column %s", quote(n.Value))
				t.columns[i] = nil
			}
		}
	}
}

// row returns one row: the template with what the cells say.
func (t *csvTable) row(template *yaml.Node, cells []*yaml.Node) *yaml.Node {
	row := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: cells[0].Line, Column: 1}
	t.files[row] = t.reading
	for i, cell := range cells {
		if t.columns[i] != nil && cell.Value != "" {
			t.put(row, t.columns[i], t.columns[i].Value, cell)
		}
	}
	return t.over(template, row)
}

// put sets a value under a path of keys.
func (t *csvTable) put(n, column *yaml.Node, path string, value *yaml.Node) {
	first, rest, nested := strings.Cut(path, ".")
	if !nested {
		n.Content = append(n.Content, t.key(column, first), value)
		return
	}
	below := child(n, first)
	if below == nil || below.Kind != yaml.MappingNode {
		below = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: value.Line, Column: value.Column}
		t.files[below] = t.reading
		n.Content = append(n.Content, t.key(column, first), below)
	}
	t.put(below, column, rest, value)
}

// key returns the key of a cell at the place of its column.
func (t *csvTable) key(column *yaml.Node, name string) *yaml.Node {
	if name == column.Value {
		return column
	}
	k := *column
	k.Value = name
	t.files[&k] = t.reading
	return &k
}
