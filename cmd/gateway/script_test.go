package main

import (
	"os"
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
		Setup: func(env *testscript.Env) error {
			env.Setenv("CONFIG", env.WorkDir+"/example.yaml")
			return os.WriteFile(env.WorkDir+"/example.yaml", example, 0o600)
		},
	})
}
