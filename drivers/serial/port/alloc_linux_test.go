//go:build !race

package port

import (
	"testing"
	"time"
)

// TestTalkingAllocatesNothing does what a poll does with a port.
func TestTalkingAllocatesNothing(t *testing.T) {
	device := newPty(t)
	p := openPort(t, device.Link(), "115200")
	text, heard := []byte("request"), make([]byte, 64)
	talk := func() {
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := p.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := p.Drain(); err != nil {
			t.Fatal(err)
		}
		if _, err := device.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Read(heard); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, talk); n > 0 {
		t.Errorf("got %v allocations", n)
	}
}
