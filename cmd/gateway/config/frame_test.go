package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/protocol/frame"
)

func TestFrames(t *testing.T) {
	text, _ := splitWants(t, "testdata/bad/serial_line.yaml")
	for in, want := range map[string]frame.Config{
		"lines":                        {Lines: &frame.Lines{}},
		"modbus_rtu":                   {ModbusRTU: &frame.ModbusRTU{}},
		"cobsr":                        {COBSR: &frame.COBS{}},
		"{sml: {}}":                    {SML: &frame.SML{}},
		"{idle: {gap: 5ms}}":           {Idle: &frame.Idle{Gap: 5 * time.Millisecond}},
		"{lines: {terminator: \";\"}}": {Lines: &frame.Lines{Terminator: ";"}},
		"{slip: {max: 64, checksum: {name: lrc}}}": {SLIP: &frame.SLIP{Max: 64, Checksum: &frame.Checksum{Name: "lrc"}}},
	} {
		framed := strings.Replace(text, "line: fast", fmt.Sprintf("line: 9600 8N1, frame: %s", in), 1)
		f, err := Parse("f", []byte(framed), Options{})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := f.Drivers[1].Serial.Frame; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", in, got, want)
		}
	}
}
