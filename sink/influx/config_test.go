package influx_test

import (
	"slices"
	"strings"
	"testing"

	"sluice/sink"
	"sluice/sink/influx"
	"sluice/sink/lineproto"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name string
		edit func(*influx.Config)
		want []string
	}{
		{"a good one", func(*influx.Config) {}, nil},
		{"all wrong at once", func(c *influx.Config) {
			*c = influx.Config{Format: lineproto.Format{Measurement: "{x"}, TLS: sink.TLS{Cert: "c"}}
		}, []string{"url is required", "org is required", "bucket is required", "measurement is wrong", `precision is ""`, "timeout is 0s", "tls.key is required"}},
		{"a user in the URL", func(c *influx.Config) { c.URL = "http://me:s3cr3t-token@host:8086" }, []string{"url holds a user"}},
		{"a user in a broken URL", func(c *influx.Config) { c.URL = "http://me:s3cr3t-token@host:port" }, []string{"url is not a URL"}},
		{"another scheme", func(c *influx.Config) { c.URL = "tcp://host:8086" }, []string{`url is "tcp://host:8086", want`}},
		{"a query", func(c *influx.Config) { c.URL = "http://host:8086/?db=x" }, []string{"url has more than"}},
	}
	for _, tt := range tests {
		cfg := configFor("http://host:8086")
		tt.edit(&cfg)
		var got []string
		cfg.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if strings.Contains(strings.Join(got, ""), token) {
			t.Errorf("%s: a password shows in %q", tt.name, got)
		}
	}
}
