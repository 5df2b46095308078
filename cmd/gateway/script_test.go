package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/drivers/drivertest"
)

// swept runs the tests and removes what they built.
type swept struct{ *testing.M }

func (s swept) Run() int {
	defer os.RemoveAll(buildDir())
	return s.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(swept{m}, map[string]func(){"gateway": main})
}

// TestScripts runs the scripts that say how the command line behaves. They have
// the example configuration as $CONFIG and free addresses as $LISTEN and $OTHER.
func TestScripts(t *testing.T) {
	example, err := os.ReadFile(root + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"fails": fails, "await": await, "pty": plugPty, "plant": plantScript, "publish": publish},
		Setup: func(env *testscript.Env) error {
			env.Setenv("LISTEN", freeAddress(t))
			env.Setenv("OTHER", freeAddress(t))
			env.Setenv("CONFIG", env.WorkDir+"/example.yaml")
			return os.WriteFile(env.WorkDir+"/example.yaml", example, 0o600)
		},
	})
}

// fails is the command "fails CODE PROGRAM ARGS...": the program has to end with
// that exit code.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails CODE PROGRAM ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("%s ends with %v, want exit status %s", args[1], err, args[0])
	}
}

// await is the command "await PAGE PATTERN": the gateway on $LISTEN has to come to
// serve a page that matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await PAGE PATTERN")
	}
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	var text []byte
	for limit := time.Now().Add(drivertest.Patience); time.Now().Before(limit); {
		answer, err := http.Get("http://" + ts.Getenv("LISTEN") + args[0])
		if err != nil {
			continue
		}
		text, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && pattern.Match(text) {
			return
		}
	}
	ts.Fatalf("%s does not come to match %s: %s", args[0], args[1], text)
}
