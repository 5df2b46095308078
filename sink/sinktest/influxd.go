package sinktest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Influxd is a real InfluxDB 1.8 on loopback, with its data in a temporary
// folder. It ends with the test.
type Influxd struct {
	binary string
	dir    string
	addr   string
	cmd    *exec.Cmd
	reader sync.WaitGroup // reads the program's log
}

// Cell is one value of a query's answer: nil, string, bool or json.Number.
type Cell = any

const influxdConfig = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "%[1]s/meta"
[data]
  dir = "%[1]s/data"
  wal-dir = "%[1]s/wal"
  index-version = "tsi1"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "%[2]s"
  log-enabled = false
`

// StartInfluxd starts an InfluxDB. The test fails when the program influxd is
// neither in $PATH nor in $SLUICE_TEST_BIN, the user's cache or Go's bin folder.
func StartInfluxd(t testing.TB) *Influxd {
	t.Helper()
	i := &Influxd{binary: findInfluxd(t), dir: t.TempDir(), addr: "127.0.0.1:0"}
	t.Cleanup(func() { i.Stop(t) })
	i.Start(t)
	return i
}

func findInfluxd(t testing.TB) string {
	t.Helper()
	places := []string{os.Getenv("SLUICE_TEST_BIN")}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, filepath.Join(cache, "sluice", "bin"))
	}
	if out, err := exec.Command("go", "env", "GOPATH").Output(); err == nil {
		places = append(places, filepath.Join(strings.TrimSpace(string(out)), "bin"))
	}
	if path, err := exec.LookPath("influxd"); err == nil {
		return path
	}
	for _, dir := range places {
		path := filepath.Join(dir, "influxd")
		if s, err := os.Stat(path); err == nil && !s.IsDir() && dir != "" {
			return path
		}
	}
	t.Fatalf("find influxd: neither in $PATH nor in %s; install it with go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10",
		strings.Join(places, ", "))
	return ""
}

// Addr returns HOST:PORT, which stays the same for good.
func (i *Influxd) Addr() string { return i.addr }

// URL returns the address for clients.
func (i *Influxd) URL() string { return "http://" + i.addr }

// Start starts the server again after Stop, on the same port and data, and
// returns when it answers.
func (i *Influxd) Start(t testing.TB) {
	t.Helper()
	config := filepath.Join(i.dir, "influxd.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, influxdConfig, i.dir, i.addr), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(i.binary, "run", "-config", config)
	cmd.Env = append(os.Environ(), "HOME="+i.dir)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start influxd: %v", err)
	}
	i.cmd = cmd
	listening := make(chan string, 1) // sent once by the reader below, which closes it at the log's end
	i.reader.Go(func() { readLog(log, listening) })
	select {
	case addr := <-listening:
		if addr == "" {
			t.Fatal("start influxd: it ended at once")
		}
		i.addr = addr
	case <-time.After(patience):
		t.Fatal("start influxd: it does not listen")
	}
	i.await(t)
}

// readLog sends the HTTP address and then reads on, lest the program block.
func readLog(log io.Reader, listening chan<- string) {
	address := regexp.MustCompile(`Listening on HTTP.* addr=(\S+)`)
	lines := bufio.NewScanner(log)
	for sent := false; lines.Scan(); {
		if m := address.FindStringSubmatch(lines.Text()); m != nil && !sent {
			listening <- m[1]
			sent = true
		}
	}
	close(listening)
	_, _ = io.Copy(io.Discard, log)
}

// await returns when the server answers pings.
func (i *Influxd) await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		resp, err := http.Get(i.URL() + "/ping")
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("start influxd: %v", err)
		}
	}
}

// Stop kills the server. What it acknowledged is in its log on disk.
func (i *Influxd) Stop(t testing.TB) {
	t.Helper()
	if i.cmd == nil {
		return
	}
	if err := i.cmd.Process.Kill(); err != nil {
		t.Errorf("stop influxd: %v", err)
	}
	i.reader.Wait()
	_ = i.cmd.Wait() // it was killed
	i.cmd = nil
	http.DefaultClient.CloseIdleConnections()
}

// Restart stops the server and starts it again.
func (i *Influxd) Restart(t testing.TB) {
	t.Helper()
	i.Stop(t)
	i.Start(t)
}

// CreateDatabase creates a database and returns when it takes writes: right
// after its creation InfluxDB may still answer 404.
func (i *Influxd) CreateDatabase(t testing.TB, name string) {
	t.Helper()
	i.query(t, "", fmt.Sprintf("CREATE DATABASE %q", name), nil)
	for deadline := time.Now().Add(patience); ; {
		resp, err := http.Post(i.URL()+"/write?db="+url.QueryEscape(name), "", strings.NewReader("\n"))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusNotFound {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("create database %s: %v", name, err)
		}
	}
}

// Query runs an InfluxQL statement and returns the rows of all series, each by
// its column names, with the series' name as "measurement" and its tags.
// Times are numbers of nanoseconds.
func (i *Influxd) Query(t testing.TB, database, statement string) []map[string]Cell {
	t.Helper()
	var rows []map[string]Cell
	i.query(t, database, statement, func(s series) {
		for _, values := range s.Values {
			row := map[string]Cell{"measurement": s.Name}
			for key, value := range s.Tags {
				row[key] = value
			}
			for n, column := range s.Columns {
				row[column] = values[n]
			}
			rows = append(rows, row)
		}
	})
	return rows
}

type series struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]Cell
}

type answer struct {
	Error   string
	Results []struct {
		Error  string
		Series []series
	}
}

func (i *Influxd) query(t testing.TB, database, statement string, each func(series)) {
	t.Helper()
	form := url.Values{"db": {database}, "q": {statement}, "epoch": {"ns"}}
	resp, err := http.PostForm(i.URL()+"/query", form)
	if err != nil {
		t.Fatalf("query influxd: %v", err)
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	var a answer
	if err := decoder.Decode(&a); err != nil {
		t.Fatalf("query influxd: %s: %v", statement, err)
	}
	for _, result := range a.Results {
		if a.Error+result.Error != "" {
			t.Fatalf("query influxd: %s: %s", statement, a.Error+result.Error)
		}
		for _, s := range result.Series {
			each(s)
		}
	}
}
