package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/drivers/drivertest"
)

// fullFor is how long the disk stays full.
const fullFor = 20 * time.Second

// TestFullDisk fills the disk under load while neither sink can be reached, and
// frees it again; and starts the gateway on a disk that is full.
func TestFullDisk(t *testing.T) {
	r := newRig(t, play{devices: 100, ports: 1, limit: 90_000, rate: 2000})
	disk := mountSmall(t)
	gate := newGate(t, r.hub.URL())
	r.edit(`dir: "[^"]*"`, fmt.Sprintf("dir: %q, segment: 256KiB", filepath.Join(disk, "data")))
	r.edit("hub: .nats: .url: \"[^\"]*\"", fmt.Sprintf("hub: {retry: {max: 500ms}, nats: {url: %q", gate.url))
	r.start()
	played := make(chan error, 1) // sent to once
	go func() { played <- r.fleet.Run(context.Background()) }()
	r.sent(4_000)

	free := fillDisk(t, disk)
	gate.close()
	r.influxd.Stop(t)
	drivertest.Eventually(t, "the gateway says that the disk is full", func() bool { return strings.Contains(r.page("/readyz"), "no space left") })
	<-time.After(fullFor) // the outage under test
	free()
	gate.open()
	r.influxd.Start(t)
	r.awaitReady()
	r.stop()

	if err := os.Remove(filepath.Join(disk, "data", "journal", "spare")); err != nil {
		t.Fatal(err)
	}
	free = fillDisk(t, disk)
	r.launch()
	drivertest.Eventually(t, "the gateway runs on a full disk", func() bool { return strings.Contains(r.page("/readyz"), "no space left") })
	<-time.After(fullFor / 4)
	free()
	if err := <-played; err != nil {
		t.Fatal(err)
	}
	r.settle()
	// A line device cannot tell whether its last lines before the restart were read.
	sent, doubtful := r.ledger.Totals()
	for _, sink := range []string{"hub", "history"} {
		if a := r.ledger.Verdict(sink); a.Delivered < sent-doubtful || a.Lost+a.Duplicates+a.Wrong+a.Unexpected > 0 {
			t.Errorf("%s: of %d sent %+v", sink, sent, a)
		}
	}
	// On a slow machine the backlog may fill so small a disk again by itself.
	const most = 20
	begun, ended := strings.Count(r.log.String(), "journal cannot be written"), strings.Count(r.log.String(), "journal can be written again")
	if begun < 2 || begun > most || begun != ended {
		t.Errorf("the log says %d times that the journal cannot be written, and %d times that it can again, want once each per outage", begun, ended)
	}
}

// edit replaces what matches the pattern in the rig's configuration.
func (r *rig) edit(pattern, with string) {
	r.t.Helper()
	text, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	edited := regexp.MustCompile(pattern).ReplaceAllLiteralString(string(text), with)
	if err := os.WriteFile(r.config, []byte(edited), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// page returns a page of the gateway, "" when it does not answer.
func (r *rig) page(path string) string {
	answer, err := http.Get("http://" + r.http + path)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

// mountSmall mounts a file system of 16 MiB until the test ends.
func mountSmall(t *testing.T) string {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"); errors.Is(err, unix.EPERM) {
		t.Skip("mounting a small file system takes root")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk takes all the room there is on the disk of dir, and goes on taking what
// becomes free, until the result is called.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	ballast, err := os.CreateTemp(dir, "ballast")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{}) // closed by free
	var filling sync.WaitGroup
	filling.Go(func() {
		block := make([]byte, 4<<10)
		for {
			if _, err := ballast.Write(block); err == nil {
				continue
			}
			select {
			case <-ended:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return func() {
		close(ended)
		filling.Wait()
		if err := errors.Join(ballast.Close(), os.Remove(ballast.Name())); err != nil {
			t.Error(err)
		}
	}
}

// gate is a way to a server that can be closed.
type gate struct {
	url string

	mu    sync.Mutex // guards what follows
	shut  bool
	conns map[net.Conn]bool
}

func newGate(t *testing.T, to string) *gate {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{conns: map[net.Conn]bool{}}
	host := target.Host
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { g.pass(conn, host) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		g.close()
		passing.Wait()
	})
	target.Host = listener.Addr().String()
	g.url = target.String()
	return g
}

// pass carries one connection.
func (g *gate) pass(near net.Conn, to string) {
	far, err := net.Dial("tcp", to)
	if err != nil || !g.admit(near, far) {
		near.Close()
		if err == nil {
			far.Close()
		}
		return
	}
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		ways.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	ways.Wait()
}

// admit remembers the connection's ends unless the gate is closed.
func (g *gate) admit(ends ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range ends {
		g.conns[c] = !g.shut
	}
	return !g.shut
}

// close cuts every connection and admits no more.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.conns {
		c.Close()
	}
	clear(g.conns)
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}
