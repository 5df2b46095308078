package modbus

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSpecification holds the examples of the application protocol.
func TestSpecification(t *testing.T) {
	for _, c := range []struct {
		ask         Request
		answer      Response
		askHex, hex string
	}{
		{Request{Function: ReadCoils, Address: 0x13, Quantity: 0x13}, Response{Data: []byte{0xcd, 0x6b, 0x05}}, "01 0013 0013", "01 03 cd6b05"},
		{Request{Function: ReadDiscreteInputs, Address: 0xc4, Quantity: 0x16}, Response{Data: []byte{0xac, 0xdb, 0x35}}, "02 00c4 0016", "02 03 acdb35"},
		{Request{Function: ReadHoldingRegisters, Address: 0x6b, Quantity: 3}, Response{Data: []byte{2, 0x2b, 0, 0, 0, 0x64}}, "03 006b 0003", "03 06 022b 0000 0064"},
		{Request{Function: ReadInputRegisters, Address: 8, Quantity: 1}, Response{Data: []byte{0, 0xa}}, "04 0008 0001", "04 02 000a"},
		{Request{Function: WriteSingleCoil, Address: 0xac, Value: CoilOn}, Response{Address: 0xac, Value: CoilOn}, "05 00ac ff00", "05 00ac ff00"},
		{Request{Function: WriteSingleRegister, Address: 1, Value: 3}, Response{Address: 1, Value: 3}, "06 0001 0003", "06 0001 0003"},
		{Request{Function: WriteMultipleCoils, Address: 0x13, Quantity: 10, Data: []byte{0xcd, 1}}, Response{Address: 0x13, Quantity: 10}, "0f 0013 000a 02 cd01", "0f 0013 000a"},
		{Request{Function: WriteMultipleRegisters, Address: 1, Quantity: 2, Data: []byte{0, 0xa, 1, 2}}, Response{Address: 1, Quantity: 2}, "10 0001 0002 04 000a 0102", "10 0001 0002"},
		{Request{Function: MaskWriteRegister, Address: 4, Value: 0xf2, Or: 0x25}, Response{Address: 4, Value: 0xf2, Or: 0x25}, "16 0004 00f2 0025", "16 0004 00f2 0025"},
		{Request{Function: ReadWriteRegisters, Address: 3, Quantity: 6, WriteAddress: 0xe, Data: []byte{0, 0xff, 0, 0xff, 0, 0xff}},
			Response{Data: []byte{0, 0xfe, 0xa, 0xcd, 0, 1, 0, 3, 0, 0xd, 0, 0xff}}, "17 0003 0006 000e 0003 06 00ff 00ff 00ff", "17 0c 00fe 0acd 0001 0003 000d 00ff"},
	} {
		c.answer.Function = c.ask.Function
		if got, err := c.ask.Append(nil); err != nil || !bytes.Equal(got, unhex(t, c.askHex)) {
			t.Errorf("%v: asks %x, %v", c.ask.Function, got, err)
		}
		if got, err := c.answer.Append(nil); err != nil || !bytes.Equal(got, unhex(t, c.hex)) {
			t.Errorf("%v: answers %x, %v", c.ask.Function, got, err)
		}
		if got, err := ParseRequest(unhex(t, c.askHex)); err != nil || !reflect.DeepEqual(got, c.ask) {
			t.Errorf("%v: is asked %+v, %v", c.ask.Function, got, err)
		}
		if got, err := ParseResponse(unhex(t, c.hex)); err != nil || !reflect.DeepEqual(got, c.answer) || got.Answers(&c.ask) != nil {
			t.Errorf("%v: is answered %+v, %v, %v", c.ask.Function, got, err, got.Answers(&c.ask))
		}
		if got := c.ask.Result(c.answer.Data); !reflect.DeepEqual(got, c.answer) {
			t.Errorf("%v: result %+v", c.ask.Function, got)
		}
	}
}

func TestExceptions(t *testing.T) {
	ask := Request{Function: ReadCoils, Address: 0x4a1, Quantity: 1}
	refused := ask.Refuse(IllegalDataAddress)
	pdu, err := refused.Append(nil)
	if err != nil || !bytes.Equal(pdu, []byte{0x81, 2}) {
		t.Errorf("got %x, %v", pdu, err)
	}
	got, err := ParseResponse(pdu)
	var e Exception
	if err != nil || got.Exception != IllegalDataAddress || !errors.As(got.Answers(&ask), &e) || e != IllegalDataAddress {
		t.Errorf("got %+v, %v, %v", got, err, got.Answers(&ask))
	}
	for e, want := range map[Exception]string{2: "exception 2: illegal data address", 11: "exception 11: gateway target device failed to respond", 9: "exception 9", 99: "exception 99"} {
		if e.Error() != want {
			t.Errorf("got %q, want %q", e.Error(), want)
		}
	}
	if got := Function(99).String(); got != "function 99" {
		t.Errorf("an unknown function is %q", got)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want Exception // 0: it is in order
	}{
		{Request{Function: ReadCoils, Quantity: 2000}, 0}, {Request{Function: ReadCoils, Quantity: 2001}, IllegalDataValue},
		{Request{Function: ReadDiscreteInputs}, IllegalDataValue}, {Request{Function: ReadInputRegisters, Quantity: 125}, 0},
		{Request{Function: ReadHoldingRegisters, Quantity: 126}, IllegalDataValue},
		{Request{Function: ReadHoldingRegisters, Address: 65535, Quantity: 1}, 0},
		{Request{Function: ReadHoldingRegisters, Address: 65535, Quantity: 2}, IllegalDataAddress},
		{Request{Function: WriteSingleCoil, Value: 1}, IllegalDataValue},
		{Request{Function: WriteMultipleCoils, Quantity: 1968, Data: make([]byte, 246)}, 0},
		{Request{Function: WriteMultipleCoils, Quantity: 1969, Data: make([]byte, 247)}, IllegalDataValue},
		{Request{Function: WriteMultipleCoils, Quantity: 9, Data: make([]byte, 1)}, IllegalDataValue},
		{Request{Function: WriteMultipleRegisters, Quantity: 123, Data: make([]byte, 246)}, 0},
		{Request{Function: WriteMultipleRegisters, Quantity: 124, Data: make([]byte, 248)}, IllegalDataValue},
		{Request{Function: WriteMultipleRegisters, Quantity: 2, Data: make([]byte, 3)}, IllegalDataValue},
		{Request{Function: ReadWriteRegisters, Quantity: 125, Data: make([]byte, 242)}, 0},
		{Request{Function: ReadWriteRegisters, Quantity: 126, Data: make([]byte, 2)}, IllegalDataValue},
		{Request{Function: ReadWriteRegisters, Quantity: 1, Data: make([]byte, 244)}, IllegalDataValue},
		{Request{Function: ReadWriteRegisters, Quantity: 1, Data: make([]byte, 3)}, IllegalDataValue},
		{Request{Function: ReadWriteRegisters, Quantity: 1, WriteAddress: 65535, Data: make([]byte, 4)}, IllegalDataAddress},
		{Request{Function: 7}, IllegalFunction}, {Request{}, IllegalFunction},
	} {
		pdu, err := c.r.Append([]byte("before"))
		var e Exception
		if errors.As(err, &e); e != c.want || err != nil && string(pdu) != "before" || len(pdu)-6 > maxPDU {
			t.Errorf("%+v: %d bytes, %v, want %v", c.r, len(pdu), err, c.want)
		}
	}
	for _, r := range []Response{{Function: ReadCoils}, {Function: ReadHoldingRegisters, Data: make([]byte, 3)}, {Function: ReadHoldingRegisters, Data: make([]byte, 252)}, {Function: 7, Data: []byte{1}}} {
		if pdu, err := r.Append(nil); err == nil {
			t.Errorf("%+v became %x", r, pdu)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "03", "03 0000 00", "03 0000 007e", "03 0000 0001 00", "10 0000 0002 04 000000", "10 0000 0002 02 0000",
		"17 0003 0006 000e 0002 06 00ff 00ff 00ff", "07", "83 02", "05 0000 0001",
	} {
		if r, err := ParseRequest(unhex(t, text)); err == nil {
			t.Errorf("%q was read as %+v", text, r)
		} else if e := Exception(0); !errors.As(err, &e) {
			t.Errorf("%q: %v has no exception", text, err)
		}
	}
	for _, text := range []string{"", "03", "03 03 010203", "03 02 01", "03 02 010203", "03 00", "83", "83 00", "83 02 00", "80 01", "07 01", "06 0001 00", "63 00"} {
		if r, err := ParseResponse(unhex(t, text)); err == nil {
			t.Errorf("%q was read as %+v", text, r)
		}
	}
}

func TestAnswers(t *testing.T) {
	ask := Request{Function: WriteSingleRegister, Address: 1, Value: 3}
	for _, r := range []Response{
		{Function: WriteSingleRegister, Address: 2, Value: 3}, {Function: WriteSingleRegister, Address: 1, Value: 4},
		{Function: WriteMultipleRegisters, Address: 1, Quantity: 3}, {Function: ReadCoils, Data: []byte{1}},
	} {
		if r.Answers(&ask) == nil {
			t.Errorf("%+v answers %+v", r, ask)
		}
	}
	read := Request{Function: ReadHoldingRegisters, Quantity: 2}
	late := Response{Function: ReadHoldingRegisters, Data: []byte{1, 2}}
	if late.Answers(&read) == nil {
		t.Error("one register answers the request for two")
	}
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		response, request int
		hex               string
	}{
		{0, 0, ""}, {0, 5, "03"}, {6, 5, "0304"}, {unknown, 5, "0303"}, {unknown, 5, "03fc"}, {unknown, 5, "0300"}, {3, 5, "0101"},
		{2, unknown, "83"}, {2, unknown, "8302"}, {unknown, unknown, "8300"}, {unknown, unknown, "80"}, {unknown, unknown, "00"},
		{5, 5, "05"}, {7, 7, "16"}, {5, 0, "10"}, {5, 10, "100000000204"}, {5, 0, "0f00000008"}, {5, unknown, "0f00000008ff"},
		{0, 0, "17"}, {6, 0, "1704"}, {2, 1, "07"}, {5, 5, "08"}, {0, 1, "11"}, {4, 1, "1102"}, {0, 0, "14"}, {0, 3, "18"}, {8, 3, "180005"}, {unknown, 3, "18ffff"},
		{0, 4, "2b"}, {0, 4, "2b0e01010000"}, {0, 4, "2b0e0101000001"}, {12, 4, "2b0e0101000001 00 03"}, {7, 4, "2b0e0101000000"}, {unknown, 4, "2b0d"},
		{unknown, unknown, "63"},
	} {
		if got := ResponseLength(unhex(t, c.hex)); got != c.response {
			t.Errorf("response %s: %d, want %d", c.hex, got, c.response)
		}
		if got := RequestLength(unhex(t, c.hex)); got != c.request {
			t.Errorf("request %s: %d, want %d", c.hex, got, c.request)
		}
	}
}

// anyRequest draws a request that is in order.
func anyRequest(t *rapid.T) Request {
	r := Request{Function: rapid.SampledFrom([]Function{1, 2, 3, 4, 5, 6, 15, 16, 22, 23}).Draw(t, "function")}
	most := map[Function]uint16{1: 2000, 2: 2000, 3: 125, 4: 125, 15: 1968, 16: 123, 23: 125}[r.Function]
	if most > 0 {
		r.Quantity = rapid.Uint16Range(1, most).Draw(t, "quantity")
	}
	r.Address = rapid.Uint16Max(uint16(1<<16-max(int(r.Quantity), 1))).Draw(t, "address")
	size := 0
	switch r.Function {
	case WriteSingleCoil:
		r.Value = rapid.SampledFrom([]uint16{CoilOn, CoilOff}).Draw(t, "value")
	case WriteSingleRegister:
		r.Value = rapid.Uint16().Draw(t, "value")
	case MaskWriteRegister:
		r.Value, r.Or = rapid.Uint16().Draw(t, "and"), rapid.Uint16().Draw(t, "or")
	case WriteMultipleCoils:
		size = bytesOfBits(r.Quantity)
	case WriteMultipleRegisters:
		size = 2 * int(r.Quantity)
	case ReadWriteRegisters:
		size = 2 * rapid.IntRange(1, MaxExchange).Draw(t, "written")
		r.WriteAddress = rapid.Uint16Max(uint16(1<<16-size/2)).Draw(t, "write address")
	}
	if size > 0 {
		r.Data = rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "data")
	}
	return r
}

// anyAnswer draws a response to r.
func anyAnswer(t *rapid.T, r *Request) Response {
	if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
		return r.Refuse(Exception(rapid.Uint8Range(1, 11).Draw(t, "exception")))
	}
	var data []byte
	if n := r.ResponseLength() - 2; r.Function.reads() {
		data = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "result")
	}
	return r.Result(data)
}

func TestPDURoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ask := anyRequest(t)
		pdu, err := ask.Append(nil)
		if err != nil || len(pdu) > maxPDU {
			t.Fatalf("%d bytes, %v", len(pdu), err)
		}
		if got, err := ParseRequest(pdu); err != nil || !reflect.DeepEqual(got, ask) {
			t.Fatalf("%+v became %+v, %v", ask, got, err)
		}
		lengths(t, pdu, RequestLength)
		answer := anyAnswer(t, &ask)
		if pdu, err = answer.Append(nil); err != nil || answer.Exception == 0 && len(pdu) != ask.ResponseLength() {
			t.Fatalf("%d bytes, want %d, %v", len(pdu), ask.ResponseLength(), err)
		}
		got, err := ParseResponse(pdu)
		if err != nil || !got.equal(&answer) || answer.Exception == 0 && got.Answers(&ask) != nil {
			t.Fatalf("%+v became %+v, %v, %v", answer, got, err, got.Answers(&ask))
		}
		lengths(t, pdu, ResponseLength)
	})
}

// lengths checks that the length is known from some prefix on and stays.
func lengths(t *rapid.T, pdu []byte, length func([]byte) int) {
	known := 0
	for i := range len(pdu) + 1 {
		switch n := length(pdu[:i]); {
		case n == 0 && known == 0:
		case n == len(pdu):
			known = n
		default:
			t.Fatalf("after %d of %d bytes the length is %d", i, len(pdu), n)
		}
	}
}
