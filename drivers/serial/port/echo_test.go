package port

import (
	"errors"
	"strings"
	"testing"
)

func TestEchoIsStripped(t *testing.T) {
	e := &echo{}
	for _, sent := range []string{"ab", "cd", "lost"} {
		if err := e.expect([]byte(sent)); err != nil {
			t.Fatal(err)
		}
	}
	e.cancel(len("lost"))
	for _, test := range []struct{ received, want string }{
		{"a", ""}, {"bc", ""}, {"dx", "x"}, {"yz", "yz"},
	} {
		b := []byte(test.received)
		if n, err := e.strip(b); string(b[:n]) != test.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", test.received, b[:n], err, test.want)
		}
	}
}

func TestEchoDiffers(t *testing.T) {
	e := &echo{}
	if err := e.expect([]byte("ab")); err != nil {
		t.Fatal(err)
	}
	n, err := e.strip([]byte("aX"))
	if n != 0 || !errors.Is(err, ErrEcho) || !strings.Contains(err.Error(), "got 61 58, want 61 62") {
		t.Errorf("got %d, %v", n, err)
	}
	if n, err := e.strip([]byte("aX")); n != 2 || err != nil {
		t.Errorf("after a difference: got %d, %v", n, err)
	}
}

func TestEchoThatNeverComesIsBounded(t *testing.T) {
	e := &echo{}
	var err error
	for range mostEcho {
		if err = e.expect([]byte("ab")); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrEcho) || len(e.owed) != mostEcho {
		t.Errorf("%d bytes are owed, %v", len(e.owed), err)
	}
	e.forget()
	if err := e.expect([]byte("ab")); err != nil {
		t.Error(err)
	}
}

func FuzzEcho(f *testing.F) {
	f.Add([]byte("request"), []byte("answer"), uint8(3))
	f.Fuzz(func(t *testing.T, request, answer []byte, piece uint8) {
		e := &echo{}
		if e.expect(request) != nil {
			return
		}
		wire := append(append([]byte(nil), request...), answer...)
		var got []byte
		for len(wire) > 0 {
			b := wire[:min(len(wire), int(piece)+1)]
			wire = wire[len(b):]
			n, err := e.strip(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
		}
		if string(got) != string(answer) {
			t.Errorf("got %q, want %q", got, answer)
		}
	})
}
