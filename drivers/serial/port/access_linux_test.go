package port

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAccessTo(t *testing.T) {
	if _, err := AccessTo(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	device := newPty(t)
	a, err := AccessTo(device.Link())
	if err != nil || a.Advice != "" || a.Group == "" || a.Mode == 0 {
		t.Errorf("got %+v, %v", a, err)
	}
}

// TestAccessOfOthers looks at files that this user may not open.
func TestAccessOfOthers(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "port")
	for mode, want := range map[fs.FileMode]string{
		0o060: fmt.Sprintf(": sudo usermod -aG %s %s, then log in again", groupName(me.Gid), me.Username),
		0o040: "by a udev rule with GROUP and MODE=\"0660\"",
	} {
		if err := os.WriteFile(path, nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if a, err := AccessTo(path); err != nil || a.Mode != mode || !strings.Contains(a.Advice, want) {
			t.Errorf("%04o: got %+v, %v, want %q", mode, a, err, want)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// asNobody runs the calling test again, as nobody.
func asNobody(t *testing.T) {
	t.Helper()
	const nobody = 65534
	again := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	again.Dir, again.Env = "/", append(os.Environ(), "TMPDIR=/tmp")
	again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
