package modbus

import (
	"testing"
	"time"

	"sluice/protocol/modbus"
	"sluice/protocol/payload"
)

func TestTiming(t *testing.T) {
	ascii := lineConfig("9600 7E1")
	ascii.Mode = modeASCII
	slow := lineConfig("9600 8N1")
	slow.Gap, slow.Turnaround = 50*time.Millisecond, 20*time.Millisecond
	for name, test := range map[string]struct {
		c         Config
		gap, char time.Duration
		whole     time.Duration // of a request for 20 holding registers
	}{
		// 8 and 45 characters of 11 bits
		"9600 8E1":   {lineConfig("9600 8E1"), 4010415, 1145833, 4010415 + 53*1145833 + 5*time.Millisecond},
		"19200 8N1":  {lineConfig("19200 8N1"), 1822915, 520833, 1822915 + 53*520833 + 5*time.Millisecond},
		"115200 8N1": {lineConfig("115200 8N1"), 1750 * time.Microsecond, 86805, 1750*time.Microsecond + 53*86805 + 5*time.Millisecond},
		// 17 and 91 characters of 10 bits
		"ascii": {ascii, 3645831, 1041666, 3645831 + 108*1041666 + 5*time.Millisecond},
		"own":   {slow, 50 * time.Millisecond, 1041666, 70*time.Millisecond + 53*1041666},
		"tcp":   {tcpConfig("tcp://h"), 0, 0, time.Millisecond},
	} {
		got := test.c.Timing()
		if got.Gap != test.gap || got.Char != test.char {
			t.Errorf("%s: gap %d and character %d, want %d and %d", name, got.Gap, got.Char, test.gap, test.char)
		}
		q := modbus.Request{Function: modbus.ReadHoldingRegisters, Quantity: 20}
		if whole := got.Transaction(&q); whole != test.whole {
			t.Errorf("%s: a request takes %v, want %v", name, whole, test.whole)
		}
	}
}

func TestFits(t *testing.T) {
	ten := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	two := devices(block(0, 60, time.Second), 1, 2, 3, 4, 5, 6, 7)
	two = append(two, devices(block(0, 10, 10*time.Second), 8, 9)...)
	for name, test := range map[string]struct {
		c    Config
		list []Device
		want string
	}{
		"fast line": {lineConfig("115200 8N1"), devices(block(0, 60, time.Second), ten...), ""},
		"slow line": {lineConfig("9600 8N1"), devices(block(0, 60, time.Second), ten...), "10 units × 60 registers take 1.47s at 9600 8N1, poll is 1s: the bus would be 147 % busy, want a poll of 1.7s, fewer registers or a faster line"},
		"two kinds": {lineConfig("9600 8N1"), two, "7 units × 60 registers take 1.03s at 9600 8N1, poll is 1s; 2 units × 10 registers take 86ms, poll is 10s: the bus would be 104 % busy, want longer polls, fewer registers or a faster line"},
		"tcp":       {tcpConfig("tcp://h"), devices(block(0, 1, 10*time.Millisecond), ten...), ""},
		"tcp, much": {tcpConfig("tcp://h"), devices(block(0, 125, 10*time.Millisecond), append(ten, 11)...), "11 units × 125 registers take 11ms by TCP, poll is 10ms: the bus would be 110 % busy, want a poll of 100ms or fewer registers"},
	} {
		got := ""
		if err := Fits(test.c, test.list); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, test.want)
		}
	}
	if _, err := Load(lineConfig("9600 8N1"), []Device{{Name: "d", Decode: &payload.Profile{Metrics: map[string]payload.Metric{"m": {}}}}}); err == nil {
		t.Error("a device that cannot be planned has a load")
	}
}
