package payload

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/protocol"
)

func csvProfile(separator string, columns ...string) Profile {
	return Profile{Decode: Decode{CSV: &CSV{Separator: separator, Columns: columns}}}
}

func TestCSVAll(t *testing.T) {
	check(t, csvProfile("", "a", "", "b"), "", []message{
		{"1,2,3", "a=float:1 b=float:3"},
		{" 1 ,\t2, x y \r\n", "a=float:1 b=string:x y"},
		{"1,2,", "a=float:1"}, {",,3", "b=float:3"}, {"1,2,3,4,5", "a=float:1 b=float:3"},
		{`"a,b","","say ""hi"""`, `a=string:a,b b=string:say "hi"`},
		{` "1" , 2 , "" `, "a=float:1"},
		{`5" pipe,2,3"`, `a=string:5" pipe b=string:3"`},
		{",,", "!missing"}, {"1,2", "!missing"}, {"1", "!missing"},
		{`"a`, "!syntax"}, {`"a"b,2,3`, "!syntax"}, {"1,2,3\n4,5,6", "!syntax"},
		{"", "!empty"}, {" \r\n", "!empty"},
		{"\xff,2,3", "!utf8"}, {"1,\xff,3", "a=float:1 b=float:3"},
	})
	check(t, csvProfile(" ", "a", "b", "c"), "", []message{
		{"1 2 3", "a=float:1 b=float:2 c=float:3"}, {"  1 \t 2   3  ", "a=float:1 b=float:2 c=float:3"},
		{`1 "2 3" x`, "a=float:1 b=string:2 3 c=string:x"}, {`1 "2"3 4`, "!syntax"}, {"1 2", "!missing"},
	})
	check(t, csvProfile("\t", "a", "b"), "", []message{{"1\t 2 ", "a=float:1 b=float:2"}, {"\t2", "b=float:2"}, {"1\t", "a=float:1"}})
	check(t, csvProfile(";", "a", "b"), "", []message{{"1,5;2", "a=string:1,5 b=float:2"}})
	check(t, csvProfile("·", "a", "b"), "", []message{{"1·2", "a=float:1 b=float:2"}})
}

func TestCSVListed(t *testing.T) {
	p := csvProfile("", "time", "id", "t")
	p.Time = &Time{Path: "time", Format: "unix"}
	p.Metrics = map[string]Metric{"temperature": {Path: "t", Unit: "°C", Scale: ptr(0.1), Offset: ptr(-40.0)}}
	check(t, p, "", []message{
		{"1763805600.25,7,453", "temperature=float:5.3 °C @1763805600250000000"},
		{",7,453", "temperature=float:5.3 °C"},
		{"1763805600,7,warm", "!type"}, {"noon,7,1", "!time"}, {"1763805600,7,", "!missing"},
	})
	p.Metrics = nil
	check(t, p, "", []message{{"1763805600,7,453", "id=float:7 t=float:453 @1763805600000000000"}})
}

// TestCSVAsStandard compares with encoding/csv on lines that it writes.
func TestCSVAsStandard(t *testing.T) {
	for _, fields := range [][]string{{"a", "b"}, {"a,b", `"`}, {`say "hi"`, "x y"}, {`""`, ",,"}} {
		var line strings.Builder
		w := csv.NewWriter(&line)
		_ = w.Write(fields)
		w.Flush()
		want := fmt.Sprintf("a=string:%s b=string:%s", fields[0], fields[1])
		if got := show(t, decoder(t, csvProfile("", "a", "b")), line.String(), ""); got != want {
			t.Errorf("%q: got %s, want %s", line.String(), got, want)
		}
	}
}

func TestCSVAllocatesNothing(t *testing.T) {
	d := decoder(t, csvProfile(" ", "a", "b", "", "c"))
	b := &protocol.Batch{}
	m := Message{Payload: []byte("  21.5  453 x \"1013.25\" \r\n"), Device: device, Received: 7}
	n := testing.AllocsPerRun(100, func() {
		b.Reset()
		if err := d.Decode(b, m); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzCSV(f *testing.F) {
	for _, in := range []string{"1,2,3", `"a,b","say ""hi""",`, " 1  \"2 3\"\t4 ", "\xff,,\x00", "1;2;3"} {
		f.Add(in, ",")
		f.Add(in, " ")
	}
	f.Fuzz(func(t *testing.T, in, separator string) {
		p := csvProfile(separator, "a", "", "b")
		d, err := New(p)
		if err != nil {
			return
		}
		got := show(t, d, in, "")
		if got == "!utf8" && utf8.ValidString(in) && utf8.ValidString(separator) {
			t.Fatalf("%q by %q: %s", in, separator, got)
		}
	})
}
