package protocol_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"sluice/protocol"
	fields "sluice/protocol/binary"
	"sluice/protocol/modbus"
)

// modbusConfig is what a case of Modbus says about its bytes.
type modbusConfig struct {
	Framing    string
	WaitingFor *struct {
		Address  uint8
		Function modbus.Function
	} `json:"waiting_for"`
	ByteOrder string `json:"byte_order"`
	DataType  string `json:"data_type"`
	Scale     *float64
	Bit       *int
	Address   []uint16
}

// modbusExpected is what a case of Modbus expects.
type modbusExpected struct {
	LRC            string
	Address        uint8
	Function       modbus.Function
	PDU            string `json:"pdu_hex"`
	Kind           string
	Registers      []uint16
	ExceptionCode  modbus.Exception `json:"exception_code"`
	Transaction    uint16
	ResponseLength int   `json:"response_length"`
	ValidCRC       *bool `json:"valid_crc"`
	PDUs           *[]string
	Frame          string `json:"frame_hex"`
	Frames         *[]string
	LeftOver       string `json:"left_over_hex"`
	Accepted       bool
	Readings       []struct {
		Name, Type, Width string
		Value             any
	}
}

func judgeModbus(c corpusCase) error {
	var config modbusConfig
	var want modbusExpected
	if err := json.Unmarshal(c.Config, &config); err != nil {
		return err
	}
	if c.Expected != nil {
		d := json.NewDecoder(bytes.NewReader(c.Expected))
		d.UseNumber()
		d.DisallowUnknownFields()
		if err := d.Decode(&want); err != nil {
			return err
		}
	}
	in := c.Inputs[0]
	switch {
	case c.Error != nil || want.PDUs != nil || want.Frame != "" || want.Frames != nil:
		return judgeModbusStream(config, want, in, c.Error != nil)
	case want.LRC != "":
		return judgeLRC(want, in)
	case want.Readings != nil:
		return judgeRegisters(config, want, in)
	case want.ValidCRC != nil:
		return judgeResponseLength(want, in)
	case want.Accepted || want.Kind != "":
		return judgeModbusFrame(config, want, in)
	}
	return fmt.Errorf("nothing is expected: %s", c.Expected)
}

func judgeLRC(want modbusExpected, in []byte) error {
	frame := modbus.AppendASCII(nil, in[0], in[1:])
	sum, err := strconv.ParseUint(string(frame[len(frame)-4:len(frame)-2]), 16, 8)
	if err != nil || fmt.Sprintf("%#02x", sum) != want.LRC {
		return fmt.Errorf("got %s, want the lrc %s", frame, want.LRC)
	}
	return nil
}

func judgeResponseLength(want modbusExpected, in []byte) error {
	f, err := modbus.ParseRTU(in)
	if err != nil || !*want.ValidCRC {
		return fmt.Errorf("%v, want valid: %v", err, *want.ValidCRC)
	}
	ask, err := modbus.ParseRequest(f.PDU)
	if got := ask.ResponseLength() + 3; err != nil || got != want.ResponseLength {
		return fmt.Errorf("the response has %d bytes, want %d, %v", got, want.ResponseLength, err)
	}
	return nil
}

// judgeModbusFrame reads a frame and writes it again.
func judgeModbusFrame(config modbusConfig, want modbusExpected, in []byte) error {
	var f modbus.Frame
	var err error
	var again []byte
	switch config.Framing {
	case "rtu":
		f, err = modbus.ParseRTU(in)
		again = modbus.AppendRTU(nil, f.Unit, f.PDU)
	case "ascii":
		f, err = modbus.ParseASCII(nil, in)
		again = modbus.AppendASCII(nil, f.Unit, f.PDU)
	case "tcp":
		f, err = modbus.ParseTCP(in)
		again = modbus.AppendTCP(nil, f.Transaction, f.Unit, f.PDU)
	}
	if err != nil {
		return err
	}
	if want.Accepted {
		answer, err := modbus.ParseResponse(f.PDU)
		return sameRegisters(answer, want.Registers, err)
	}
	if f.Unit != want.Address || f.Transaction != want.Transaction || hex.EncodeToString(f.PDU) != want.PDU || !bytes.Equal(again, in) {
		return fmt.Errorf("got %+v, again %x", f, again)
	}
	if want.Kind == "request" {
		ask, err := modbus.ParseRequest(f.PDU)
		if err != nil || ask.Function != want.Function {
			return fmt.Errorf("got %+v, %v", ask, err)
		}
		return samePDU(&ask, f.PDU)
	}
	answer, err := modbus.ParseResponse(f.PDU)
	if err != nil || answer.Function != want.Function || answer.Exception != want.ExceptionCode {
		return fmt.Errorf("got %+v, %v", answer, err)
	}
	if err := samePDU(&answer, f.PDU); err != nil || want.Registers == nil {
		return err
	}
	return sameRegisters(answer, want.Registers, nil)
}

func samePDU(m interface{ Append([]byte) ([]byte, error) }, pdu []byte) error {
	if again, err := m.Append(nil); err != nil || !bytes.Equal(again, pdu) {
		return fmt.Errorf("%x became %x, %v", pdu, again, err)
	}
	return nil
}

func sameRegisters(answer modbus.Response, want []uint16, err error) error {
	var got []uint16
	for i := 0; i+1 < len(answer.Data); i += 2 {
		got = append(got, binary.BigEndian.Uint16(answer.Data[i:]))
	}
	if err != nil || !slices.Equal(got, want) {
		return fmt.Errorf("got the registers %d, want %d, %v", got, want, err)
	}
	return nil
}

// judgeModbusStream looks for frames, byte by byte and at once.
func judgeModbusStream(config modbusConfig, want modbusExpected, in []byte, refused bool) error {
	for _, size := range []int{1, len(in)} {
		s := modbus.NewRTU(modbus.Responses)
		if config.Framing == "ascii" {
			s = modbus.NewASCII()
		}
		if w := config.WaitingFor; w != nil {
			s.Expect(w.Address, w.Function)
		}
		pdus, frames := []string{}, []string{}
		for piece := range slices.Chunk(in, size) {
			s.Feed(piece)
			for f, ok := s.Next(); ok; f, ok = s.Next() {
				pdus = append(pdus, hex.EncodeToString(f.PDU))
				frames = append(frames, hex.EncodeToString(modbus.AppendRTU(nil, f.Unit, f.PDU)))
			}
		}
		ok := false
		switch {
		case refused:
			ok = len(frames) == 0 && s.Stats().Skipped > 0
		case want.PDUs != nil:
			ok = slices.Equal(pdus, *want.PDUs)
		case want.Frame != "":
			ok = slices.Equal(frames, []string{want.Frame})
		case want.Frames != nil:
			ok = slices.Equal(frames, *want.Frames) && s.Held() == len(want.LeftOver)/2 && s.Stats().Skipped == 0
		}
		if !ok {
			return fmt.Errorf("in pieces of %d: got %v, %d bytes held, %d skipped", size, frames, s.Held(), s.Stats().Skipped)
		}
	}
	return nil
}

// registerOrders are Telegraf's names of byte orders.
var registerOrders = map[string]string{
	"AB": "big", "ABCD": "big", "ABCDEFGH": "big", "BA": "little", "DCBA": "little", "HGFEDCBA": "little", "BADC": "BADC", "CDAB": "CDAB",
}

// registerTypes are Telegraf's names of types. Its fixed-point numbers have the
// size of their registers.
var registerTypes = map[string]fields.Field{
	"BIT": {Type: "uint16"}, "FIXED": {Type: "int"}, "UFIXED": {Type: "uint"}, "STRING": {Type: "string"},
	"UINT8L": {Type: "uint8", At: 1}, "UINT8H": {Type: "uint8"}, "INT8L": {Type: "int8", At: 1}, "INT8H": {Type: "int8"},
	"UINT16": {Type: "uint16"}, "INT16": {Type: "int16"}, "UINT32": {Type: "uint32"}, "INT32": {Type: "int32"},
	"UINT64": {Type: "uint64"}, "INT64": {Type: "int64"}, "FLOAT64-IEEE": {Type: "float64"},
}

func judgeRegisters(config modbusConfig, want modbusExpected, in []byte) error {
	f, ok := registerTypes[config.DataType]
	order, known := registerOrders[config.ByteOrder]
	if !ok || !known || len(want.Readings) != 1 || len(in) != 2*len(config.Address) {
		return fmt.Errorf("type %s in order %s is not known", config.DataType, config.ByteOrder)
	}
	f.Order = order
	fixed := f.Type == "int" || f.Type == "uint"
	switch {
	case fixed:
		f.Type += strconv.Itoa(8 * len(in))
	case f.Type == "string":
		f.Length = len(in)
		if order == "little" { // Telegraf's BA for the bytes of each register
			f.Order = "BADC"
		}
	}
	if config.Bit != nil {
		f.Bits = strconv.Itoa(*config.Bit)
	}
	p, err := modbus.NewPoint(config.Address[0], f)
	if err != nil {
		return err
	}
	got, err := p.Value(modbus.Registers{Start: config.Address[0], Data: in}, 0, nil)
	if err != nil {
		return err
	}
	if got, err = telegrafScaled(got, config.Scale, fixed); err != nil {
		return err
	}
	w := want.Readings[0]
	same := got.String() == fmt.Sprint(w.Value)
	if n, isNumber := w.Value.(json.Number); isNumber && got.Kind() == protocol.KindFloat {
		exact, err := n.Float64()
		same = err == nil && got.Float() == exact
	}
	if !same || got.Kind().String() != w.Type {
		return fmt.Errorf("got %v %v, want %s %v", got.Kind(), got, w.Type, w.Value)
	}
	return nil
}

// telegrafScaled does what is a profile's to do here: fixed-point numbers have a
// power of ten, and integers lose what a scale puts behind the point.
func telegrafScaled(v protocol.Value, scale *float64, fixed bool) (protocol.Value, error) {
	if scale == nil || *scale == 1 && !fixed {
		return v, nil
	}
	n, ok := v.Number()
	switch {
	case !ok:
		return v, errors.New("no number")
	case fixed && v.Kind() == protocol.KindUint && v.Uint() > math.MaxInt64:
		return protocol.Float(n * *scale), nil
	case fixed:
		return protocol.Scaled(int64(n), int(math.Round(math.Log10(*scale)))), nil
	case v.Kind() == protocol.KindInt:
		return protocol.Int(int64(n * *scale)), nil
	}
	return protocol.Uint(uint64(n * *scale)), nil
}
