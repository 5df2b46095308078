package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unit writes the unit file to a folder, with this program in the place of the
// installed one.
func unit(t *testing.T) (path string) {
	t.Helper()
	text, err := os.ReadFile(root + "/scripts/service/sluice.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "sluice.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/bin/gateway", self)), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func analyze(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestUnitIsRight(t *testing.T) {
	if out := analyze(t, "verify", "--man=no", unit(t)); strings.Contains(out, "sluice.service") {
		t.Error(out)
	}
}

// What the gateway could do to the machine if it were taken over is little: of 10,
// where 0 is nothing.
func TestUnitIsHardened(t *testing.T) {
	out := analyze(t, "security", "--offline=true", "--no-pager", unit(t))
	found := regexp.MustCompile(`Overall exposure level for sluice.service: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no exposure level in\n%s", out)
	}
	if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 2 {
		t.Errorf("exposure level is %s, want at most 2.0\n%s", found[1], out)
	}
}

// TestInstall installs into a folder, twice, and removes again what it has put
// there.
func TestInstall(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's binary is the gateway when it has that name.
	binary := filepath.Join(t.TempDir(), "gateway")
	if err := os.Symlink(self, binary); err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	install := func(args ...string) {
		t.Helper()
		cmd := exec.Command(root+"/scripts/install", append(args, "--root", into)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("install %v: %v\n%s", args, err, out)
		}
	}
	config := filepath.Join(into, "etc/sluice/config.yaml")
	install("--binary", binary)
	if err := os.WriteFile(config, []byte("# mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	install("--binary", binary)
	if text, err := os.ReadFile(config); err != nil || string(text) != "# mine\n" {
		t.Errorf("the operator's configuration has become %q, %v", text, err)
	}
	text, err := os.ReadFile(filepath.Join(into, "usr/local/lib/systemd/system/sluice.service"))
	if err != nil || !strings.Contains(string(text), "ExecStart=/usr/local/bin/gateway run /etc/sluice/config.yaml\n") {
		t.Errorf("the unit starts something else: %v\n%s", err, text)
	}
	install("--uninstall")
	if left := filesBelow(t, into); len(left) != 1 || left[0] != config {
		t.Errorf("uninstalling leaves %v", left)
	}
	install("--uninstall", "--purge")
	if left := filesBelow(t, into); len(left) != 0 {
		t.Errorf("purging leaves %v", left)
	}
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
