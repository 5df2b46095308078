package port

import "testing"

func TestAppendDump(t *testing.T) {
	for _, test := range []struct{ bytes, want string }{
		{"\x01\x03\x00\x00\x00\x0a\xc5\xcd", "12:00 > 0000  01 03 00 00 00 0a c5 cd                           |........|\n"},
		{"v=1 ~ok\r\n", "12:00 > 0000  76 3d 31 20 7e 6f 6b 0d  0a                       |v=1 ~ok..|\n"},
		{"0123456789abcdefgh", "12:00 > 0000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n" +
			"      > 0010  67 68                                             |gh|\n"},
		{"", "12:00 > 0000                                                    ||\n"},
	} {
		if got := string(AppendDump(nil, "12:00", Sent, []byte(test.bytes))); got != test.want {
			t.Errorf("%q gives\n%swant\n%s", test.bytes, got, test.want)
		}
	}
}
