package port

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Owner names the process that has the port at path, "" when none is found: a
// process that holds the lock or, for ports reserved without one, has the
// device open. Without privileges the second shows only this user's processes.
func Owner(path string) string {
	pid := locker(path)
	if pid == 0 {
		pid = holder(path)
	}
	switch {
	case pid == 0:
		return ""
	case pid == os.Getpid():
		return "this process (" + strconv.Itoa(pid) + ")"
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return "process " + strconv.Itoa(pid)
	}
	return fmt.Sprintf("process %d (%s)", pid, bytes.TrimSpace(name))
}

// locker returns the process that holds a flock on path, 0 when none is found.
func locker(path string) int {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0
	}
	file, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer file.Close()
	return lockerIn(file, fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino))
}

// lockerIn looks in the text of /proc/locks for the flock on an inode:
//
//	1: FLOCK  ADVISORY  WRITE 4711 00:16:5 0 EOF
//
// Waiting locks have an arrow as their second word.
func lockerIn(locks io.Reader, inode string) int {
	lines := bufio.NewScanner(locks)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) > 5 && words[1] == "FLOCK" && words[5] == inode {
			pid, _ := strconv.Atoi(words[4])
			return max(pid, 0) // negative: in another namespace
		}
	}
	return 0
}

// holder returns a process other than this one that has the device open, 0 when
// none is found.
func holder(path string) int {
	device, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0
	}
	descriptors, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, d := range descriptors {
		if to, err := os.Readlink(d); err != nil || to != device {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(d, "/")[2])
		if pid != os.Getpid() {
			return pid
		}
	}
	return 0
}
