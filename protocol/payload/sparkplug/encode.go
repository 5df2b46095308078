package sparkplug

import (
	"encoding/binary"
	"math"
	"time"

	"google.golang.org/protobuf/proto"

	"sluice/protocol"
	"sluice/protocol/payload/sparkplug/pb"
)

// Metric is a metric to be written. One field of Value, Elements, Table and
// Members holds its value, as the type wants; a scalar that is null is written as
// such.
type Metric struct {
	Name       string
	Type       DataType
	Value      protocol.Value     // a number, bool, text or bytes
	Elements   []protocol.Value   // of an array
	Table      *Table             // of a DataSet
	Members    []Metric           // of a Template
	Unit       string             // property engUnit, "" for none
	Quality    protocol.Quality   // property Quality, none when good
	Time       protocol.Timestamp // 0: that of the payload
	Historical bool
}

// Table is the value of a DataSet. All rows are as long as Columns; a null value
// is a field without one.
type Table struct {
	Columns []string
	Types   []DataType
	Rows    [][]protocol.Value
}

// noAlias tells that a metric is written with its name.
const noAlias = math.MaxUint64

// message returns m for the wire: a birth states everything, other messages
// the alias in place of the name and no type.
func (m *Metric) message(alias uint64, birth bool) *pb.Metric {
	to := &pb.Metric{}
	if birth || alias == noAlias {
		to.Name, to.Datatype = &m.Name, proto.Uint32(uint32(m.Type))
	}
	if alias != noAlias {
		to.Alias = &alias
	}
	if m.Time != 0 {
		to.Timestamp = millis(m.Time)
	}
	if m.Historical {
		to.IsHistorical = &m.Historical
	}
	to.Properties = m.properties()
	m.value(to)
	return to
}

func millis(t protocol.Timestamp) *uint64 {
	return proto.Uint64(uint64(t / protocol.Timestamp(time.Millisecond)))
}

func (m *Metric) properties() *pb.PropertySet {
	set := &pb.PropertySet{}
	if m.Unit != "" {
		set.Keys = append(set.Keys, "engUnit")
		set.Values = append(set.Values, &pb.PropertyValue{
			Type: proto.Uint32(uint32(String)), Value: &pb.PropertyValue_StringValue{StringValue: m.Unit},
		})
	}
	if m.Quality != protocol.Good {
		code := uint32(0)
		if m.Quality == protocol.Uncertain {
			code = 64 // as OPC has it; the specification knows good, bad and stale
		}
		set.Keys = append(set.Keys, "Quality")
		set.Values = append(set.Values, &pb.PropertyValue{
			Type: proto.Uint32(uint32(Int32)), Value: &pb.PropertyValue_IntValue{IntValue: code},
		})
	}
	if len(set.Keys) == 0 {
		return nil
	}
	return set
}

func (m *Metric) value(to *pb.Metric) {
	switch {
	case m.Type == DataSet && m.Table != nil:
		to.Value = &pb.Metric_DatasetValue{DatasetValue: m.Table.message()}
	case m.Type == Template:
		to.Value = &pb.Metric_TemplateValue{TemplateValue: template(m.Members)}
	case m.Type.element() != Unknown:
		to.Value = &pb.Metric_BytesValue{BytesValue: packed(m.Type.element(), m.Elements)}
	case m.Value.IsNull():
		to.IsNull = proto.Bool(true)
	default:
		m.scalar(to)
	}
}

func (m *Metric) scalar(to *pb.Metric) {
	switch r := m.Type.wire(m.Value); r.part {
	case intPart:
		to.Value = &pb.Metric_IntValue{IntValue: uint32(r.num)}
	case longPart:
		to.Value = &pb.Metric_LongValue{LongValue: r.num}
	case floatPart:
		to.Value = &pb.Metric_FloatValue{FloatValue: math.Float32frombits(uint32(r.num))}
	case doublePart:
		to.Value = &pb.Metric_DoubleValue{DoubleValue: math.Float64frombits(r.num)}
	case boolPart:
		to.Value = &pb.Metric_BooleanValue{BooleanValue: r.num != 0}
	case stringPart:
		to.Value = &pb.Metric_StringValue{StringValue: m.Value.Text()}
	case bytesPart:
		to.Value = &pb.Metric_BytesValue{BytesValue: []byte(m.Value.Text())}
	}
}

// wire returns the field and number that stand for a value of the type; of
// texts and bytes the field only.
func (t DataType) wire(v protocol.Value) raw {
	switch t {
	case Int8, Int16, Int32, UInt8, UInt16, UInt32:
		return raw{part: intPart, num: uint64(uint32(integer(v)))}
	case Int64, UInt64, DateTime:
		return raw{part: longPart, num: integer(v)}
	case Float:
		f, _ := v.Number()
		return raw{part: floatPart, num: uint64(math.Float32bits(float32(f)))}
	case Double:
		f, _ := v.Number()
		return raw{part: doublePart, num: math.Float64bits(f)}
	case Boolean:
		if v.Bool() {
			return raw{part: boolPart, num: 1}
		}
		return raw{part: boolPart}
	case String, Text, UUID:
		return raw{part: stringPart}
	}
	return raw{part: bytesPart}
}

// integer returns a whole number as two's complement.
func integer(v protocol.Value) uint64 {
	switch v.Kind() {
	case protocol.KindUint:
		return v.Uint()
	case protocol.KindFloat:
		return uint64(int64(v.Float()))
	}
	return uint64(v.Int())
}

// packed returns the elements of an array.
func packed(t DataType, elements []protocol.Value) []byte {
	var dst []byte
	if t == Boolean {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(elements)))
		dst = append(dst, make([]byte, (len(elements)+7)/8)...)
	}
	for i, v := range elements {
		switch t {
		case Boolean:
			if v.Bool() {
				dst[4+i/8] |= 0x80 >> (i % 8)
			}
		case String:
			dst = append(append(dst, v.Text()...), 0)
		default:
			n := t.wire(v).num
			for range t.bits() / 8 {
				dst, n = append(dst, byte(n)), n>>8
			}
		}
	}
	return dst
}

func (t *Table) message() *pb.DataSet {
	set := &pb.DataSet{NumOfColumns: proto.Uint64(uint64(len(t.Columns))), Columns: t.Columns}
	for _, c := range t.Types {
		set.Types = append(set.Types, uint32(c))
	}
	for _, from := range t.Rows {
		row := &pb.DataSet_Row{}
		for i, v := range from {
			row.Elements = append(row.Elements, field(t.Types[i], v))
		}
		set.Rows = append(set.Rows, row)
	}
	return set
}

func field(t DataType, v protocol.Value) *pb.DataSet_DataSetValue {
	to := &pb.DataSet_DataSetValue{}
	if v.IsNull() {
		return to
	}
	switch r := t.wire(v); r.part {
	case intPart:
		to.Value = &pb.DataSet_DataSetValue_IntValue{IntValue: uint32(r.num)}
	case longPart:
		to.Value = &pb.DataSet_DataSetValue_LongValue{LongValue: r.num}
	case floatPart:
		to.Value = &pb.DataSet_DataSetValue_FloatValue{FloatValue: math.Float32frombits(uint32(r.num))}
	case doublePart:
		to.Value = &pb.DataSet_DataSetValue_DoubleValue{DoubleValue: math.Float64frombits(r.num)}
	case boolPart:
		to.Value = &pb.DataSet_DataSetValue_BooleanValue{BooleanValue: r.num != 0}
	case stringPart:
		to.Value = &pb.DataSet_DataSetValue_StringValue{StringValue: v.Text()}
	}
	return to
}

func template(members []Metric) *pb.Template {
	t := &pb.Template{TemplateRef: proto.String("instance"), IsDefinition: proto.Bool(false)}
	for i := range members {
		t.Metrics = append(t.Metrics, members[i].message(noAlias, true))
	}
	return t
}
