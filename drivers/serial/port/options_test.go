package port

import (
	"maps"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Options)
		want   map[string]string
	}{
		"default": {func(*Options) {}, nil},
		"zero":    {func(o *Options) { *o = Options{} }, nil},
		"good": {func(o *Options) {
			o.RS485 = RS485{Mode: "kernel", DelayBefore: time.Millisecond, DelayAfter: mostDelay, RxDuringTx: true}
			o.Echo, o.DTR = true, "off"
		}, nil},
		"unknown mode":  {func(o *Options) { o.RS485.Mode = "hardware" }, map[string]string{"rs485.mode": `is "hardware", want none, kernel, rts or auto`}},
		"no mode":       {func(o *Options) { o.RS485.DelayAfter = time.Millisecond }, map[string]string{"rs485.mode": "is required where other settings of rs485 are made: kernel, rts or auto"}},
		"long delay":    {func(o *Options) { o.RS485 = RS485{Mode: "rts", DelayBefore: time.Second} }, map[string]string{"rs485.delay_before": "is 1s, want 0s to 100ms"}},
		"past delay":    {func(o *Options) { o.RS485 = RS485{Mode: "rts", DelayAfter: -1} }, map[string]string{"rs485.delay_after": "is -1ns, want 0s to 100ms"}},
		"fine delay":    {func(o *Options) { o.RS485 = RS485{Mode: "auto", DelayAfter: 1500 * time.Microsecond} }, map[string]string{"rs485.delay_after": "is 1.5ms, but the kernel counts whole milliseconds"}},
		"fine RTS":      {func(o *Options) { o.RS485 = RS485{Mode: "rts", DelayAfter: 1500 * time.Microsecond} }, nil},
		"RTS receiver":  {func(o *Options) { o.RS485 = RS485{Mode: "rts", RxDuringTx: true} }, map[string]string{"rs485.rx_during_tx": "is of use with mode kernel alone: RTS does not move the receiver"}},
		"unknown state": {func(o *Options) { o.DTR, o.RTS = "true", "high" }, map[string]string{"dtr": `is "true", want keep, on or off`, "rts": `is "high", want keep, on or off`}},
		"two for RTS":   {func(o *Options) { o.RS485.Mode, o.RTS = "kernel", "on" }, map[string]string{"rts": "is of no use with rs485.mode kernel, which moves RTS itself"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := DefaultOptions()
			test.change(&o)
			got := map[string]string{}
			o.Validate(func(field, problem string) { got[field] = problem })
			if !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
