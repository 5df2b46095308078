package frame

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   []string
	}{
		{Config{}, nil},
		{Config{SLIP: &SLIP{}, COBSR: &COBS{}}, []string{" names several kinds, want one of slip and cobsr"}},
		{Config{Lines: &Lines{EOL: "nl", Terminator: ";", Max: 1}}, []string{
			`lines.eol is "nl", want auto, lf, crlf or cr`,
			`lines.terminator does not go with eol: want one of them`,
			`lines.max is 1, want 16 to 1048576 bytes`}},
		{Config{Delimited: &Delimited{Start: "hex:zz", End: strings.Repeat("x", 17), Escape: "ab", EscapeXOR: 256, Trailer: 17}}, []string{
			`delimited.start is "hex:zz", want text, or bytes in hexadecimal digits such as "hex:0d0a"`,
			`delimited.end has 17 bytes, want at most 16`,
			`delimited.escape is "ab", want one byte, such as "hex:10"`,
			`delimited.escape_xor is 256, want 0 to 255`,
			`delimited.trailer is 17, want 0 to 16 bytes`}},
		{Config{Delimited: &Delimited{Start: "~", End: "~", Escape: "~", Trailer: 1}}, []string{
			`delimited.escape is "~", which is start or end itself`,
			`delimited.trailer needs a start that is not the same as the end`}},
		{Config{Delimited: &Delimited{Escape: "a"}}, []string{
			`delimited.end is required: the text that ends a frame, or bytes such as "hex:03"`,
			`delimited.escape needs a start too`}},
		{Config{Fixed: &Fixed{}}, []string{`fixed.length is required: how many bytes a frame has`}},
		{Config{Fixed: &Fixed{Length: 1, Sync: "ab", Gap: time.Hour}}, []string{
			`fixed.sync is longer than a frame`, `fixed.gap is 1h0m0s, want 1ms to 1m`}},
		{Config{Prefixed: &Prefixed{Sync: "ab", Offset: 1, Width: 3, Order: "le", Counts: "all", Header: 2, Trailer: -1, Max: -1}}, []string{
			`prefixed.width is 3, want 1, 2 or 4 bytes`,
			`prefixed.offset is 1, want 2 to 255 bytes`,
			`prefixed.order is "le", want big or little`,
			`prefixed.counts is "all", want payload or frame`,
			`prefixed.header is 2, want 4 to 1024 bytes`,
			`prefixed.trailer is -1, want 0 to 1024 bytes`,
			`prefixed.max is -1, want 16 to 65536 bytes`}},
		{Config{Idle: &Idle{Gap: 1}}, []string{`idle.gap is 1ns, want 1ms to 1m`}},
		{Config{NMEA: &NMEA{Checksum: "no"}}, []string{`nmea.checksum is "no", want required or optional`}},
		{Config{COBS: &COBS{Checksum: &Checksum{At: ptr(1), After: "*"}}}, []string{
			`cobs.checksum.name is required: a name from the RevEng catalogue such as CRC-16/MODBUS, or sum8, sum8-complement, sum8-inverted, sum16, xor or lrc`,
			`cobs.checksum.at does not go with after, which says where the checksum stands`}},
		{Config{SLIP: &SLIP{Checksum: &Checksum{Name: "CRC-32", At: ptr(-3), Order: "middle"}}}, []string{
			`slip.checksum.order is "middle", want big or little`,
			`slip.checksum.at is -3, want -4 or less: the checksum has 4 bytes`}},
		{Config{SLIP: &SLIP{Checksum: &Checksum{Name: "xor", After: "*", Order: "little"}}}, []string{
			`slip.checksum.order does not go with after: digits are written with the high byte first`}},
	} {
		var got []string
		test.config.Validate(func(field, problem string) { got = append(got, field+" "+problem) })
		if !slices.Equal(got, test.want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
		if _, err := New(test.config); (err != nil) != (test.want != nil) {
			t.Errorf("New(%+v): %v", test.config, err)
		}
	}
}
