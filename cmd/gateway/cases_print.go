package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
)

// print writes the trials for people or programs.
func (c *casesCall) print(w io.Writer, trials []trial) error {
	var text bytes.Buffer
	coloured := isTerminal(w) && os.Getenv("NO_COLOR") == ""
	failed := 0
	for _, t := range trials {
		if t.fails() {
			failed++
		}
		if c.asJSON {
			t.printJSON(&text)
		} else if t.fails() {
			t.print(&text, coloured)
		}
	}
	if !c.asJSON {
		fmt.Fprintf(&text, "%s, %d failed\n", count(len(trials), "test"), failed)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// print writes a test that fails.
func (t *trial) print(text *bytes.Buffer, coloured bool) {
	paint := func(colour, text string) string {
		if !coloured {
			return text
		}
		return "\x1b[" + colour + "m" + text + "\x1b[0m"
	}
	fmt.Fprintf(text, "%s %s\n", paint("1;31", "FAIL"), paint("1", printable(t.test.Title())))
	for _, d := range t.differences {
		fmt.Fprintf(text, "  %s:%d:%d: %s\n", t.file, d.Line, d.Column, printable(d.Field))
		if d.Want != "" {
			fmt.Fprintf(text, "    want %s\n", paint("32", d.Want))
		}
		fmt.Fprintf(text, "    got  %s\n", paint("31", d.Got))
	}
	if gives := t.gives(); gives != "" {
		fmt.Fprintf(text, "  the message gives\n    %s\n", strings.ReplaceAll(strings.TrimSpace(gives), "\n", "\n    "))
	}
	text.WriteByte('\n')
}

// gives returns what came of the message, as gateway decode prints it; "" when
// that was a refusal, which the differences tell.
func (t *trial) gives() string {
	if t.result == nil || t.result.refusal != nil {
		return ""
	}
	var text bytes.Buffer
	_ = t.result.printText(&text) // to memory: cannot fail
	return text.String()
}

func (t *trial) printJSON(text *bytes.Buffer) {
	line, _ := t.test.Place("")
	_ = json.NewEncoder(text).Encode(struct { // to memory: cannot fail
		File        string       `json:"file"`
		Line        int          `json:"line"`
		Name        string       `json:"name"`
		Passed      bool         `json:"passed"`
		Differences []difference `json:"differences,omitempty"`
	}{t.file, line, t.test.Title(), !t.fails(), t.differences})
}

// junitReport is a report as continuous integration servers read it.
type junitReport struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

// junitSuite is the tests of a file.
type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// writeJUnit writes the report, a suite for each file.
func writeJUnit(path string, trials []trial) error {
	var report junitReport
	for _, t := range trials {
		last := len(report.Suites) - 1
		if last < 0 || report.Suites[last].Name != t.file {
			report.Suites = append(report.Suites, junitSuite{Name: t.file})
			last++
		}
		suite := &report.Suites[last]
		line, _ := t.test.Place("")
		c := junitCase{Name: t.test.Title(), Class: t.file, File: t.file, Line: line}
		suite.Tests++
		if t.fails() {
			suite.Failures++
			var text bytes.Buffer
			t.print(&text, false)
			d := t.differences[0]
			c.Failure = &junitFailure{fmt.Sprintf("%s: want %s, got %s", d.Field, d.Want, d.Got), text.String()}
			if d.Want == "" {
				c.Failure.Message = d.Got
			}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
