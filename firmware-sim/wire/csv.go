package wire

import (
	"fmt"
	"slices"
	"strings"

	"sluice/protocol/payload"
)

// csv gives f the slots and the layout of a line of separated values.
func (f *Form) csv(p *payload.Profile) error {
	l := &csvLayout{separator: p.Decode.CSV.Separator}
	if l.separator == "" {
		l.separator = ","
	}
	paths, targets, err := sources(p)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = f.columns(p.Decode.CSV.Columns, targets)
	}
	for range p.Decode.CSV.Columns {
		l.columns = append(l.columns, filler)
	}
	if p.Time != nil {
		if f.clock, err = newClock(p.Time, false); err != nil {
			return err
		}
		if err := l.put(p, p.Time.Path, clockLeaf); err != nil {
			return err
		}
		if len(p.Metrics) > 0 {
			f.stamps = targets[p.Time.Path]
		}
		paths = slices.DeleteFunc(paths, func(path string) bool { return path == p.Time.Path })
	}
	for i, path := range paths {
		if err := l.put(p, path, i); err != nil {
			return err
		}
		s, err := newSlot(path, targets[path], f.spell)
		if err != nil {
			return err
		}
		f.slots = append(f.slots, s)
	}
	f.layout = l
	return nil
}

// columns makes every named column a metric.
func (f *Form) columns(columns []string, targets map[string][]target) []string {
	var paths []string
	for _, name := range columns {
		if name != "" {
			t, _ := newTarget(name, payload.Metric{})
			paths, targets[name] = append(paths, name), []target{t}
		}
	}
	return paths
}

// filler is a column that nobody reads.
const filler = -3

type csvLayout struct {
	separator string
	columns   []int // slot, clockLeaf or filler
}

// put gives the column called path to a leaf.
func (l *csvLayout) put(p *payload.Profile, path string, leaf int) error {
	at := slices.Index(p.Decode.CSV.Columns, path)
	if at < 0 {
		return fmt.Errorf("no column is called %q", path)
	}
	l.columns[at] = leaf
	return nil
}

func (l *csvLayout) compose(dst []byte, m *message) ([]byte, bool) {
	for i, column := range l.columns {
		if i > 0 {
			dst = append(dst, l.separator...)
			for l.separator == " " && m.rand.IntN(3) == 0 {
				dst = append(dst, ' ')
			}
		}
		switch column {
		case filler:
			dst = append(dst, '0')
		case clockLeaf:
			dst = l.field(dst, m.time)
		default:
			dst = l.field(dst, m.texts[column])
		}
	}
	return dst, true
}

// field quotes what holds a separator.
func (l *csvLayout) field(dst []byte, text string) []byte {
	if strings.Contains(text, l.separator) {
		return append(append(append(dst, '"'), text...), '"')
	}
	return append(dst, text...)
}
