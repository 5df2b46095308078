package port

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// serialStruct is the kernel's struct serial_struct.
type serialStruct struct {
	kind, line   int32
	port         uint32
	irq, flags   int32
	fifo         int32
	divisor      int32
	baud         int32
	closeDelay   uint16
	io, _        byte
	hub6         int32
	closingWait  uint16
	closingWait2 uint16
	memory       uintptr
	memoryShift  uint16
	portHigh     uint32
	mapped       uintptr
}

// asyncLowLatency is the flag of struct serial_struct that makes adapters hand
// over what they receive within a millisecond.
const asyncLowLatency = 1 << 13

// lowLatency asks the port's driver to hand bytes over at once. Most do anyway
// and know no such setting. An FTDI adapter collects for 16 ms: its file timer,
// in milliseconds, tells whether asking has helped, and is written when not.
// The error says why the timer stays as it is.
func lowLatency(c calls, fd int, timer string) error {
	var s serialStruct
	asked := c.point(fd, unix.TIOCGSERIAL, unsafe.Pointer(&s))
	if asked == nil && s.flags&asyncLowLatency == 0 {
		s.flags |= asyncLowLatency
		asked = c.point(fd, unix.TIOCSSERIAL, unsafe.Pointer(&s))
	}
	now, err := milliseconds(timer)
	if err != nil || now <= 1 {
		return nil
	}
	if err := os.WriteFile(timer, []byte("1"), 0); err != nil {
		if asked != nil {
			return fmt.Errorf("the adapter collects bytes for %d ms: %w, and %w", now, asked, err)
		}
		return fmt.Errorf("the adapter collects bytes for %d ms: %w", now, err)
	}
	return nil
}

// milliseconds reads a file that holds a number.
func milliseconds(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// latencyTimer returns where the timer of the device is, if it has one.
func latencyTimer(fd int) string {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return ""
	}
	number := uint64(st.Rdev)
	return fmt.Sprintf("/sys/dev/char/%d:%d/device/latency_timer", unix.Major(number), unix.Minor(number))
}
