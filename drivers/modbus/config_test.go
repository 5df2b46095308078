package modbus

import (
	"maps"
	"slices"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   map[string]string
	}{
		"rtu":         {func(*Config) {}, nil},
		"ascii":       {func(c *Config) { c.Mode, c.Line = "ascii", "9600 7E1" }, nil},
		"tcp":         {func(c *Config) { *c = tcpConfig("tcp://plc") }, nil},
		"converter":   {func(c *Config) { *c = tcpConfig("rtu+tcp://10.0.0.7:4001") }, nil},
		"nothing":     {func(c *Config) { c.Port, c.Line = "", "" }, map[string]string{"port": "is required: the port's stable name, such as /dev/serial/by-id/usb-…, or url for a server by TCP"}},
		"no line":     {func(c *Config) { c.Line = "" }, map[string]string{"line": "is required: the bus's line settings, such as 19200 8E1"}},
		"both":        {func(c *Config) { c.URL = "tcp://plc" }, map[string]string{"url": "and port are both given, want one: a serial line, or a server by TCP"}},
		"7 bits":      {func(c *Config) { c.Line = "9600 7E1" }, map[string]string{"line": `is "9600 7E1", but rtu needs 8 data bits`}},
		"5 bits":      {func(c *Config) { c.Mode, c.Line = "ascii", "9600 5N1" }, map[string]string{"line": `is "9600 5N1", but ascii needs 7 or 8 data bits`}},
		"mode":        {func(c *Config) { c.Mode = "RTU" }, map[string]string{"mode": `is "RTU", want rtu or ascii`}},
		"relative":    {func(c *Config) { c.Port = "ttyS0" }, map[string]string{"port": `is "ttyS0", want the whole path, such as /dev/serial/by-id/usb-…`}},
		"scheme":      {func(c *Config) { *c = tcpConfig("http://plc") }, map[string]string{"url": `is "http://plc", want tcp://HOST[:502] or rtu+tcp://HOST:PORT`}},
		"no port":     {func(c *Config) { *c = tcpConfig("rtu+tcp://plc") }, map[string]string{"url": `is "rtu+tcp://plc", which lacks the converter's port: want tcp://HOST[:502] or rtu+tcp://HOST:PORT`}},
		"bad port":    {func(c *Config) { *c = tcpConfig("tcp://plc:70000") }, map[string]string{"url": `is "tcp://plc:70000", want a port from 1 to 65535`}},
		"line by tcp": {func(c *Config) { *c = tcpConfig("tcp://plc"); c.Line, c.Echo = "9600", true }, map[string]string{"line": "is for a serial line, want it without url", "echo": "is for a serial line, want it without url"}},
		"times": {func(c *Config) { c.Timeout, c.Gap, c.Demote.Probe = time.Hour, -1, 0 }, map[string]string{
			"timeout": "is 1h0m0s, want 10ms to 1m0s", "gap": "is -1ns, want 0s to 10s", "demote.probe": "is 0s, want 1s to 24h0m0s",
		}},
		"numbers": {func(c *Config) { c.Retries, c.Demote.After, c.MaxRegisters, c.MaxGap = 11, 0, 126, 125 }, map[string]string{
			"retries": "is 11, want 0 to 10", "demote.after": "is 0, want 1 to 100 polls", "max_registers": "is 126, want 1 to 125", "max_gap": "is 125, want 0 to 124 registers",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := lineConfig("9600 8N1")
			test.change(&c)
			got := map[string]string{}
			c.Validate(func(field, problem string) { got[field] = problem })
			if !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestValidateDevice(t *testing.T) {
	p := block(0, 1, time.Second)
	for name, test := range map[string]struct {
		c    Config
		d    Device
		want map[string]string
	}{
		"good":       {lineConfig("9600"), Device{Unit: 247, Decode: p}, nil},
		"itself":     {tcpConfig("tcp://h"), Device{Unit: 0, Decode: p}, nil},
		"last":       {tcpConfig("tcp://h"), Device{Unit: 255, Decode: p}, nil},
		"everybody":  {lineConfig("9600"), Device{Unit: 0, Decode: p}, map[string]string{"unit": "is 0, which is every unit of a line at once: want 1 to 247"}},
		"reserved":   {tcpConfig("rtu+tcp://h:1"), Device{Unit: 248, Decode: p}, map[string]string{"unit": "is 248, want 1 to 247"}},
		"no profile": {lineConfig("9600"), Device{Unit: 1}, nil},
	} {
		got := map[string]string{}
		test.d.Validate(&test.c, func(field, problem string) { got[field] = problem })
		if !maps.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	p := block(0, 1, time.Second)
	for want, list := range map[string][]Device{
		"device unit01: another one has that name":   {{Name: "unit01", Unit: 1, Decode: p}, {Name: "unit01", Unit: 2, Decode: p}},
		"device unit02: unit is 1, which unit01 has": {{Name: "unit01", Unit: 1, Decode: p}, {Name: "unit02", Unit: 1, Decode: p}},
		"device unit01: it has no profile":           {{Name: "unit01", Unit: 1}},
		"device unit01: unit is 256, want 1 to 247":  {{Name: "unit01", Unit: 256, Decode: p}},
	} {
		if _, err := New("bus", lineConfig("9600"), list, Options{}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestParseUnits(t *testing.T) {
	for text, want := range map[string][]int{"3": {3}, "1-3": {1, 2, 3}, " 7 , 1 - 2 ": {7, 1, 2}, "0": {0}, "255": {255}} {
		if got, err := ParseUnits(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":      `is "", want a number or a range, such as 3 or 1-10`,
		"3-1":   `is "3-1", want 1-3`,
		"1-300": `is "1-300", want units up to 255`,
		"1,1-2": `is "1,1-2", which has 1 twice`,
		"a":     `is "a", want a number or a range, such as 3 or 1-10`,
		"1-":    `is "1-", want a number or a range, such as 3 or 1-10`,
	} {
		if _, err := ParseUnits(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
