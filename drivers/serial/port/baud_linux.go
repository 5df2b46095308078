package port

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// standard reports whether tarm/serial knows the rate.
func standard(baud int) bool {
	switch baud {
	case 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600,
		19200, 38400, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
		1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000:
		return true
	}
	return false
}

// setBaud sets any rate, such as 250000 for DMX or 31250 for MIDI, and checks
// that the device took it: a driver may choose the nearest that it can do.
func setBaud(fd, baud int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
	if err != nil {
		return err
	}
	// The rate of input follows that of output when its bits are zero.
	t.Cflag = t.Cflag&^(unix.CBAUD|unix.CIBAUD) | unix.BOTHER
	t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	if err := unix.IoctlSetTermios(fd, unix.TCSETS2, t); err != nil {
		return err
	}
	if t, err = unix.IoctlGetTermios(fd, unix.TCGETS2); err != nil {
		return err
	}
	// A character of ten bits is read right up to about 3 % off.
	if off := int(t.Ospeed) - baud; off > baud*3/100 || -off > baud*3/100 {
		return fmt.Errorf("device cannot do %d baud, the nearest is %d", baud, t.Ospeed)
	}
	return nil
}
