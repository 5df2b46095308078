package journal

import (
	"hash/fnv"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// uptime names the present boot of the machine and says how long ago it was,
// sleep included. ok is false when the machine does not tell.
func uptime() (boot uint64, up time.Duration, ok bool) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return 0, 0, false
	}
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, 0, false
	}
	h := fnv.New64a()
	h.Write(id)
	return h.Sum64(), time.Duration(ts.Nano()), true
}
