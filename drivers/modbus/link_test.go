package modbus

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sluice/protocol/modbus"
)

// TestSplitByTCP has an answer whose second half comes when nobody waits for it
// any more: the next answer is found behind it.
func TestSplitByTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		c := tcpConfig("tcp://h")
		l := newLink(here, &c)
		q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: 2}
		pdu, _ := q.Append(nil)
		answer := func(transaction uint16, value byte) []byte {
			return modbus.AppendTCP(nil, transaction, 1, []byte{3, 4, 0, 0, 0, value})
		}
		go func() {
			buf := make([]byte, 100)
			_, _ = there.Read(buf)
			first := answer(1, 1)
			_, _ = there.Write(first[:9])
			_, _ = there.Read(buf)
			_, _ = there.Write(append(first[9:], answer(2, 2)[:3]...))
			_, _ = there.Write(append(answer(2, 2)[3:], answer(2, 9)...)) // one answer too many
			_, _ = there.Read(buf)
			_, _ = there.Write(answer(3, 3))
			_ = there.Close()
		}()
		if _, err := l.ask(t.Context(), 1, &q, pdu); err != failedTimeout {
			t.Errorf("half an answer: %v", err)
		}
		for want := byte(2); want <= 3; want++ {
			r, err := l.ask(t.Context(), 1, &q, pdu)
			if err != nil || r.Data[3] != want {
				t.Errorf("got %v, %v, want %d", r, err, want)
			}
		}
		if _, err := l.ask(t.Context(), 1, &q, pdu); !errors.Is(err, errLost) {
			t.Errorf("a closed connection: %v", err)
		}
	})
}

// TestNoModbus has a server that speaks something else.
func TestNoModbus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		c := tcpConfig("tcp://h")
		l := newLink(here, &c)
		q := modbus.Request{Function: modbus.ReadCoils, Quantity: 2}
		pdu, _ := q.Append(nil)
		go func() {
			_, _ = there.Read(make([]byte, 100))
			_, _ = there.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
		}()
		if _, err := l.ask(t.Context(), 1, &q, pdu); !errors.Is(err, errLost) {
			t.Errorf("got %v", err)
		}
		_ = there.Close()
	})
}

// TestExceptionInPieces has an answer that is shorter than the one expected.
func TestExceptionInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		c := lineConfig("9600 8N1")
		l := newLink(here, &c)
		q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: 125}
		pdu, _ := q.Append(nil)
		go func() {
			_, _ = there.Read(make([]byte, 100))
			for _, b := range modbus.AppendRTU(nil, 1, []byte{0x83, 2}) {
				_, _ = there.Write([]byte{b})
				time.Sleep(time.Millisecond)
			}
			_ = there.Close()
		}()
		began := time.Now()
		r, err := l.ask(t.Context(), 1, &q, pdu)
		if err != nil || r.Exception != modbus.IllegalDataAddress {
			t.Errorf("got %+v, %v", r, err)
		}
		if took := time.Since(began); took > 400*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		time.Sleep(time.Second) // until the slave has ended
	})
}
