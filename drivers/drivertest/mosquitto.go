package drivertest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Mosquitto is a real MQTT broker on a port that it keeps over restarts. It ends
// with the test, and its log is shown when the test fails.
type Mosquitto struct {
	t      testing.TB
	dir    string
	port   int
	config []string
	cmd    *exec.Cmd // nil while stopped
}

// StartMosquitto starts a broker that keeps its sessions in a temporary folder,
// with further lines of configuration.
func StartMosquitto(t testing.TB, config ...string) *Mosquitto {
	t.Helper()
	m := &Mosquitto{t: t, dir: t.TempDir(), port: freePort(t), config: config}
	m.Start()
	t.Cleanup(m.Stop)
	return m
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Start starts the broker again after Stop and returns when it listens.
func (m *Mosquitto) Start() {
	m.t.Helper()
	path := filepath.Join(m.dir, "mosquitto.conf")
	if err := os.WriteFile(path, []byte(strings.Join(m.lines(), "\n")+"\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(m.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		m.t.Fatal(err)
	}
	defer log.Close()
	m.cmd = exec.Command(findMosquitto(), "-c", path)
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := m.cmd.Start(); err != nil {
		m.t.Fatalf("start mosquitto: %v; install it with apt-get install mosquitto", err)
	}
	Eventually(m.t, "mosquitto listens", func() bool {
		conn, err := net.Dial("tcp", m.Addr())
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (m *Mosquitto) lines() []string {
	lines := []string{
		"user root", // as the test's user: the folder belongs to it
		"persistence true",
		"persistence_location " + m.dir + "/",
		"set_tcp_nodelay true",
		"listener " + strconv.Itoa(m.port) + " 127.0.0.1",
	}
	lines = append(lines, m.config...)
	if !strings.Contains(strings.Join(lines, "\n"), "allow_anonymous") {
		lines = append(lines, "allow_anonymous true")
	}
	return lines
}

// findMosquitto looks where Debian puts daemons too, which is not in every
// user's path.
func findMosquitto() string {
	if path, err := exec.LookPath("mosquitto"); err == nil {
		return path
	}
	return "/usr/sbin/mosquitto"
}

// Stop ends the broker, which saves its sessions.
func (m *Mosquitto) Stop() {
	if m.cmd == nil {
		return
	}
	m.terminate()
	m.cmd = nil
	if m.t.Failed() {
		text, _ := os.ReadFile(filepath.Join(m.dir, "log"))
		m.t.Logf("mosquitto: %s", text)
	}
}

// terminate asks until the broker has gone: it forgets a SIGTERM that comes
// between its first listening and its main loop (2 of 300 that were sent at once).
func (m *Mosquitto) terminate() {
	ended := make(chan struct{}) // closed by the waiter
	go func() {
		_ = m.cmd.Wait() // ended by the signal
		close(ended)
	}()
	again := time.NewTicker(500 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		_ = m.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
	_ = m.cmd.Process.Kill()
	<-ended
	m.t.Errorf("mosquitto did not end within %v of SIGTERM", Patience)
}

// Forget makes the stopped broker lose its sessions and retained messages.
func (m *Mosquitto) Forget() {
	m.t.Helper()
	if err := os.Remove(filepath.Join(m.dir, "mosquitto.db")); err != nil {
		m.t.Fatal(err)
	}
}

// Addr returns HOST:PORT.
func (m *Mosquitto) Addr() string { return "127.0.0.1:" + strconv.Itoa(m.port) }

// URL returns mqtt://HOST:PORT.
func (m *Mosquitto) URL() string { return "mqtt://" + m.Addr() }

// Log returns what the broker has logged since its first start.
func (m *Mosquitto) Log() string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.dir, "log"))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}
