package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gateway": main})
}

// TestScripts runs the scripts that say how the command line behaves. They have
// the example configuration as $CONFIG.
func TestScripts(t *testing.T) {
	example, err := os.ReadFile(root + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"fails": fails},
		Setup: func(env *testscript.Env) error {
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
