package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is how often the gateway is looked at for systemd, at most: a watchdog
// that wants to hear more often does.
const lookEvery = 5 * time.Second

// notifier tells systemd how the gateway is, as sd_notify(3) describes. It is safe
// for concurrent use, and so is a nil one, which has nobody to tell.
type notifier struct {
	conn  net.Conn
	every time.Duration // how often to look
	dog   bool          // systemd wants to hear that all goes on
	log   *slog.Logger
}

// openNotifier returns what $NOTIFY_SOCKET wants, nil when that is not set: then
// nobody listens.
func openNotifier(log *slog.Logger) (*notifier, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil, nil
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return nil, fmt.Errorf("notify systemd: %w", err)
	}
	n := &notifier{conn: conn, every: lookEvery, log: log}
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n, nil // that is for somebody else
	}
	if limit, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64); err == nil && limit > 0 {
		n.dog = true
		n.every = min(n.every, time.Duration(limit)*time.Microsecond/3)
	}
	return n, nil
}

// close ends it; nothing may be told any more.
func (n *notifier) close() {
	if n != nil {
		n.conn.Close()
	}
}

// tell sends lines. A message that is not taken is not sent again: the next look
// says it anew.
func (n *notifier) tell(lines ...string) {
	if n == nil {
		return
	}
	err := n.conn.SetWriteDeadline(time.Now().Add(time.Second)) // by then the socket's reader has hung
	if err == nil {
		_, err = n.conn.Write([]byte(strings.Join(lines, "\n")))
	}
	if err != nil {
		n.log.Debug("systemd is not told", "err", err)
	}
}

// run says that g serves and then how it is, until ctx ends; then that it stops,
// for which it has as long as draining takes.
func (n *notifier) run(ctx context.Context, g *gateway, drain time.Duration) {
	if n == nil {
		return
	}
	n.tell("READY=1")
	tick := time.NewTicker(n.every)
	defer tick.Stop()
	w := watchdog{notifier: n}
	for {
		w.look(g.health())
		select {
		case <-ctx.Done():
			extend := (drain + stopping).Microseconds()
			n.tell("STOPPING=1", "STATUS=delivering what it can", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extend))
			return
		case <-tick.C:
		}
	}
}

// stopping is how long the gateway has to stop, beside draining.
const stopping = 30 * time.Second

// reloading says that the configuration is being read again. The function it
// returns says that this is over, whatever came of it.
func (n *notifier) reloading() (done func()) {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // which every Linux has
	n.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
	return func() { n.tell("READY=1") }
}

// watchdog feeds systemd's while nothing hangs. It belongs to one goroutine.
type watchdog struct {
	*notifier
	stuck  string // what was
	status string // what was told
}

// look feeds the watchdog unless something is stuck, and tells a status that has
// changed.
func (w *watchdog) look(r healthReport) {
	stuck, status := r.Stuck, r.line()
	if stuck != w.stuck {
		if stuck != "" {
			w.log.Error("gateway hangs: systemd's watchdog is not fed until it goes on", "watchdog", w.dog, "stuck", stuck)
		} else {
			w.log.Info("gateway goes on", "was_stuck", w.stuck)
		}
		w.stuck = stuck
	}
	if status != w.status {
		w.status = status
		w.tell("STATUS=" + status)
	}
	if stuck == "" && w.dog {
		w.tell("WATCHDOG=1")
	}
}

// stuck names the parts of the gateway that hang, "" when none does. A sink,
// broker or port that is away is waited for: that is not to hang.
func (g *gateway) stuck() string {
	var parts []string
	for _, d := range g.parts() {
		if d.status.Late() > 0 {
			parts = append(parts, "driver "+d.name)
		}
	}
	for _, s := range g.pipeline.Stuck() {
		parts = append(parts, s.Part)
	}
	return strings.Join(parts, ", ")
}

// line is the report on one line, for systemctl status.
func (r healthReport) line() string {
	if r.Stuck != "" {
		return "hangs: " + r.Stuck
	}
	var down []string
	for _, name := range sortedKeys(r.Drivers) {
		if r.Drivers[name].State != "up" {
			down = append(down, "driver "+name+" is "+r.Drivers[name].State)
		}
	}
	if r.Journal.State != "ok" {
		down = append(down, "journal is "+r.Journal.State)
	}
	for _, name := range sortedKeys(r.Sinks) {
		if r.Sinks[name].State != "ok" {
			down = append(down, "sink "+name+" is "+r.Sinks[name].State)
		}
	}
	if len(down) == 0 {
		return fmt.Sprintf("all is well, drivers: %d, sinks: %d", len(r.Drivers), len(r.Sinks))
	}
	return strings.Join(down, ", ")
}
