package payload

import "testing"

func TestValue(t *testing.T) {
	asSent := Profile{Decode: Decode{Value: &Value{}}}
	relay := Profile{Decode: Decode{Value: &Value{}}, Metrics: map[string]Metric{
		"state":  {Map: map[string]string{"ON": "true", "OFF": "false"}},
		"mode":   {Type: "string"},
		"level":  {Map: map[string]string{"low": "1", "high": "2.5"}, Unit: "m"},
		"power":  {Unit: "W", Range: []float64{0, 4000}},
		"energy": {Scale: ptr(0.001), Unit: "kWh"},
	}}
	others := Profile{Decode: Decode{Value: &Value{}}, Metrics: map[string]Metric{
		"*": {Map: map[string]string{"ON": "true", "OFF": "false"}}, "t": {Unit: "°C"},
	}}
	open := relay
	open.Others = "keep"
	for _, c := range []struct {
		p               Profile
		payload, metric string
		want            string
	}{
		{asSent, "21.5", "", "value=float:21.5"},
		{asSent, " 21.5\r\n", "t", "t=float:21.5"},
		{asSent, "true", "on", "on=bool:true"},
		{asSent, "ON", "state", "state=string:ON"},
		{asSent, `"open"`, "valve", "valve=string:open"},
		{asSent, `say "hi"`, "text", `text=string:say "hi"`},
		{asSent, "nan", "t", "!missing"},
		{asSent, "NaN", "t", "!missing"},
		{asSent, "unavailable", "t", "!missing"},
		{asSent, "", "t", "!empty"},
		{asSent, " \n", "t", "!empty"},
		{asSent, "21\xb0C", "t", "!utf8"},
		{relay, "ON", "state", "state=bool:true"},
		{relay, "off", "state", "state=string:off"},
		{relay, "unknown", "mode", "mode=string:unknown"},
		{relay, "high", "level", "level=float:2.5 m"},
		{relay, "5000", "power", "power=float:5000 W bad"},
		{relay, "4000", "power", "power=float:4000 W"},
		{relay, "1500", "energy", "energy=float:1.5 kWh"},
		{relay, "1", "humidity", "!missing"},
		{others, "ON", "door", "door=bool:true"},
		{others, "12", "t", "t=float:12 °C"},
		{others, "12", "", "value=float:12"},
		{asSent, `{"t":1}`, "t", "!kind"},
		{asSent, `[1]`, "t", "!kind"},
		{open, "1", "humidity", "humidity=float:1"},
	} {
		if got := show(t, decoder(t, c.p), c.payload, c.metric); got != c.want {
			t.Errorf("%q as %q: got %s, want %s", c.payload, c.metric, got, c.want)
		}
	}
}
