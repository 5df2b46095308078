package serial

import (
	"maps"
	"testing"

	"sluice/protocol/frame"
)

func TestValidate(t *testing.T) {
	good := DefaultConfig()
	good.Port, good.Line = "/dev/serial/by-id/usb-x", "9600 7E1"
	for name, test := range map[string]struct {
		change func(*Config)
		want   map[string]string
	}{
		"good":          {func(*Config) {}, nil},
		"rate alone":    {func(c *Config) { c.Line = "9600" }, nil},
		"nothing":       {func(c *Config) { c.Port, c.Line = "", "" }, map[string]string{"port": "is required: the port's stable name, such as /dev/serial/by-id/usb-…", "line": "is required: the device's line settings, such as 9600 8N1"}},
		"relative port": {func(c *Config) { c.Port = "ttyUSB0" }, map[string]string{"port": `is "ttyUSB0", want the whole path, such as /dev/serial/by-id/usb-…`}},
		"bad line":      {func(c *Config) { c.Line = "fast" }, map[string]string{"line": `is "fast", want a baud rate from 50 to 12000000 first, such as 9600 8N1`}},
		"bad eol":       {func(c *Config) { c.Frame.Lines = &frame.Lines{EOL: "nl"} }, map[string]string{"frame.lines.eol": `is "nl", want auto, lf, crlf or cr`}},
		"short lines":   {func(c *Config) { c.Frame.Lines = &frame.Lines{Max: 15} }, map[string]string{"frame.lines.max": "is 15, want 16 to 1048576 bytes"}},
		"two kinds":     {func(c *Config) { c.Frame = frame.Config{SLIP: &frame.SLIP{}, SML: &frame.SML{}} }, map[string]string{"frame": "names several kinds, want one of slip and sml"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			test.change(&c)
			got := map[string]string{}
			c.Validate(func(field, problem string) { got[field] = problem })
			if !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	c, dev := testConfig("/dev/null"), testDevice()
	for name, change := range map[string]func(){
		"line":    func() { c.Line = "fast" },
		"frame":   func() { c.Frame.Lines = &frame.Lines{EOL: "nl"} },
		"profile": func() { dev.Decode = nil },
	} {
		c, dev = testConfig("/dev/null"), testDevice()
		change()
		if _, err := New("scale", c, []Device{dev}, Options{}); err == nil {
			t.Errorf("New took a bad %s", name)
		}
	}
}
