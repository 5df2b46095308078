package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/cmd/gateway/config"
	"sluice/protocol/payload"
)

// casesCall is one call of gateway test.
type casesCall struct {
	asJSON bool
	junit  string // the file for the report; "": none
}

func casesCommand() *cobra.Command {
	c := &casesCall{}
	cmd := &cobra.Command{
		Use:   "test [FILE...]",
		Short: "Try the tests of a configuration: messages, and what has to come of them",
		Long: `Decode the messages of tests as the gateway would, and compare what comes of them
with what is expected. Tests stand under "tests:" in a configuration, or in files
whose names end in _test.yaml, which name their configuration with "config:". Without
FILE it tries those of config.yaml and of the files *_test.yaml beside it.
docs/testing-a-configuration.md shows how they are written.

Exit code 0: all pass; 1: one fails; 2: wrong call or file, or no test.`,
		Example: `  gateway test
  gateway test plant.yaml meters_test.yaml
  gateway test --junit report.xml`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(args, cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.BoolVar(&c.asJSON, "json", false, "print one JSON object per test")
	f.StringVar(&c.junit, "junit", "", "write a report in JUnit's XML to this file as well")
	return cmd
}

func (c *casesCall) run(paths []string, out io.Writer) error {
	if len(paths) == 0 {
		paths = testFiles()
	}
	t := testRun{loaded: make(map[string]*config.File)}
	for _, path := range paths {
		if err := t.file(path); err != nil {
			return err
		}
	}
	if len(t.trials) == 0 {
		return usageError{fmt.Errorf("there is no test in %s", strings.Join(paths, ", "))}
	}
	if c.junit != "" {
		if err := writeJUnit(c.junit, t.trials); err != nil {
			return err
		}
	}
	if err := c.print(out, t.trials); err != nil {
		return err
	}
	if slices.ContainsFunc(t.trials, trial.fails) {
		return toldError{exitFailure}
	}
	return nil
}

const testSuffix = "_test.yaml"

// testFiles returns what is tried when no file is named.
func testFiles() []string {
	paths, _ := filepath.Glob("*" + testSuffix) // a good pattern
	if _, err := os.Stat(defaultConfig); err == nil || len(paths) == 0 {
		paths = slices.Insert(paths, 0, defaultConfig)
	}
	return paths
}

// testRun is one run of tests.
type testRun struct {
	loaded map[string]*config.File // configurations, by path
	trials []trial
}

// file tries the tests of a file.
func (t *testRun) file(path string) error {
	f, tests, err := t.read(path)
	if err != nil {
		return err
	}
	for i := range tests {
		t.trials = append(t.trials, try(f, path, &tests[i]))
	}
	return nil
}

// read returns the tests of a file and the configuration that they test.
func (t *testRun) read(path string) (*config.File, []config.Case, error) {
	if !strings.HasSuffix(path, testSuffix) {
		f, err := t.load(path)
		if err != nil {
			return nil, nil, err
		}
		return f, f.Tests, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, usageError{err}
	}
	tests, err := config.ParseTests(path, text)
	if err != nil {
		return nil, nil, err
	}
	f, err := t.load(tests.Config)
	return f, tests.Tests, err
}

func (t *testRun) load(path string) (*config.File, error) {
	if f := t.loaded[path]; f != nil {
		return f, nil
	}
	f, err := load(path, config.Options{Secrets: config.Skip})
	t.loaded[path] = f
	return f, err
}

// trial is what came of a test.
type trial struct {
	file        string
	test        *config.Case
	result      *result      // nil: there was nothing to be decoded
	differences []difference // none: it passes
}

func (t trial) fails() bool { return len(t.differences) > 0 }

// try tries one test of the file at path.
func try(f *config.File, path string, test *config.Case) trial {
	t := trial{file: path, test: test}
	where := "topic"
	if test.Device != "" {
		where = "device"
	}
	e := &explanation{file: f}
	if err := e.find(test.Topic + test.Device); err != nil {
		t.differ(where, "", err.Error())
		return t
	}
	message, err := test.Message()
	if err != nil {
		t.differ("file", "", err.Error())
		return t
	}
	m := payload.Message{Topic: e.topic, Metric: e.metric, Device: e.device, Payload: message, Received: test.At()}
	if err := e.decode(m); err != nil {
		t.differ(where, "", errors.Unwrap(err).Error())
		return t
	}
	t.result = e.result
	t.compare()
	return t
}
