package influx

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// refusal is a permanent error: a server's answer that blames the lines.
type refusal struct {
	answer answer
	err    error
}

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

// InfluxDB Cloud, Dedicated and those who speak like them, one after another:
//
//	error parsing line 2 (1-based): Invalid measurement was provided
//	error in line 2: table: m, column: b; cast error
var numberedFault = regexp.MustCompile(`(?m)error (?:parsing|in) line (\d+)[^:\n]*: *(.*)$`)

// InfluxDB 1 and 2, one after another, the line being quoted without escapes:
//
//	unable to parse 'm v=18446744073709551615u 1': invalid number
const quotedFault, quotedFaultEnds = "unable to parse '", "': "

// culprits returns the reasons of the lines that the answer names, by their
// numbers in the request from 0. Numbers count only where no line holds a line
// break, for servers differ about those in a text.
func (a answer) culprits(lines [][]byte) map[int]string {
	named := make(map[int]string)
	if !slices.ContainsFunc(lines, func(line []byte) bool { return bytes.IndexByte(line, '\n') >= 0 }) {
		a.numbered(len(lines), named)
	}
	a.quoted(lines, named)
	return named
}

// numbered adds the lines of which the answer gives the numbers, from 1.
func (a answer) numbered(n int, named map[int]string) {
	name := func(number int, reason string) {
		if number >= 1 && number <= n {
			named[number-1] = oneLine(reason)
		}
	}
	for _, f := range a.listed() {
		name(f.Line, f.Message)
	}
	for _, m := range numberedFault.FindAllStringSubmatch(a.message, -1) {
		if number, err := strconv.Atoi(m[1]); err == nil {
			name(number, m[2])
		}
	}
}

type listedFault struct {
	Line    int    `json:"line_number"`
	Message string `json:"error_message"`
}

// listed returns the list of InfluxDB 3, or its only member, which it sends
// without a list.
func (a answer) listed() []listedFault {
	var many []listedFault
	if json.Unmarshal(a.faults, &many) == nil {
		return many
	}
	var one listedFault
	if json.Unmarshal(a.faults, &one) == nil {
		return []listedFault{one}
	}
	return nil
}

// quoted adds the lines that the message quotes.
func (a answer) quoted(lines [][]byte, named map[int]string) {
	_, rest, found := strings.Cut(a.message, quotedFault)
	if !found {
		return
	}
	numbers := make(map[string]int, len(lines))
	for i, line := range lines {
		numbers[string(line)] = i
	}
	for found {
		var fault string
		fault, rest, found = strings.Cut(rest, "\n"+quotedFault)
		// Which of the ends is the one depends on what the line holds.
		for at := 0; ; {
			n := strings.Index(fault[at:], quotedFaultEnds)
			if n < 0 {
				break
			}
			at += n
			if i, ok := numbers[fault[:at]]; ok {
				named[i] = oneLine(fault[at+len(quotedFaultEnds):])
				break
			}
			at++
		}
	}
}
