package config

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"sluice/protocol"
)

// Case is one test of the configuration: a message, and what has to come of it.
// Only what it names is compared.
type Case struct {
	Name     string     `yaml:"name"`     // what the report calls it; without one the topic or device
	Topic    string     `yaml:"topic"`    // the MQTT topic that the message comes on
	Device   string     `yaml:"device"`   // the device that sends it, where no topic tells it
	Payload  string     `yaml:"payload"`  // the message as text
	Hex      string     `yaml:"hex"`      // the message in hexadecimal digits; blanks may stand between them
	Base64   string     `yaml:"base64"`   // the message in base64
	File     string     `yaml:"file"`     // the file that holds the message
	Received string     `yaml:"received"` // when it comes, such as 2026-11-22T12:00:00Z; default: the first time that is expected, otherwise now
	Rejected string     `yaml:"rejected"` // the reason why it has to be refused
	Expect   []Expected `yaml:"expect"`   // the readings that have to come of it, in order
	Exact    bool       `yaml:"exact"`    // nothing else may come of it: no further reading, metric, tag, unit or quality

	message []byte
	node    *yaml.Node
}

// Expected is what a reading has to hold, written as in the JSON that leaves the
// gateway.
type Expected struct {
	Device  string            `yaml:"device"`  // its device
	Time    string            `yaml:"time"`    // its time: the device's own, otherwise that of receipt
	Tags    map[string]string `yaml:"tags"`    // its tags, by name
	Metrics map[string]string `yaml:"metrics"` // its values, by metric; bytes in base64
	Units   map[string]string `yaml:"units"`   // their units, by metric
	Quality map[string]string `yaml:"quality"` // good, uncertain or bad, by metric
}

// TestFile is a file of tests alone, which names the configuration that it tests.
type TestFile struct {
	Config string `yaml:"config"` // relative paths are relative to the file
	Tests  []Case `yaml:"tests"`
}

// ParseTests parses a file of tests. Paths in it are relative to its directory.
// An error is always Problems.
func ParseTests(name string, text []byte) (*TestFile, error) {
	p := newParser(name, Options{Secrets: Skip})
	f := new(TestFile)
	if root := p.document(text); root != nil {
		p.fields(root, "", reflect.ValueOf(f).Elem())
		p.rebase(&f.Config)
		if f.Config == "" {
			p.finding(root, "", "config", "is required: the configuration that is tested")
		} else if _, err := os.Stat(f.Config); err != nil {
			p.finding(root, "", "config", "is "+quote(f.Config)+", but there is no such file")
		}
		if child(root, "tests") == nil {
			p.finding(root, "", "tests", "is required: what is tested")
		}
		p.cases(root, f.Tests)
	}
	if len(p.problems) > 0 {
		return nil, p.problems.arrange([]source{{name, splitLines(text)}})
	}
	return f, nil
}

// cases completes and validates the tests of a file.
func (p *parser) cases(root *yaml.Node, tests []Case) {
	list := child(root, "tests")
	for i := range tests {
		c := &tests[i]
		c.node = list.Content[i]
		if c.node.Kind != yaml.MappingNode {
			continue // that was reported
		}
		p.rebase(&c.File)
		p.validate(c.node, fmt.Sprintf("tests %d.", i+1), c)
	}
}

// Title returns what a report calls the test.
func (c *Case) Title() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Topic != "":
		return c.Topic
	}
	return c.Device
}

// Place returns the line and column of a field in the file, keys and list
// positions from 0 joined by dots, or of what it would stand in.
func (c *Case) Place(field string) (line, column int) {
	n, _ := locate(c.node, field)
	return n.Line, n.Column
}

// Message returns the message. The error is that of reading its file, which need
// not be there where the gateway runs.
func (c *Case) Message() ([]byte, error) {
	if c.File == "" {
		return c.message, nil
	}
	text, err := readLimited(c.File, 1<<20)
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return text, nil
}

// At returns when the message comes.
func (c *Case) At() protocol.Timestamp {
	text := c.Received
	for _, e := range c.Expect {
		if text == "" {
			text = e.Time
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return protocol.At(at)
	}
	return protocol.At(time.Now())
}

// Validate reports what is wrong with c, as HTTP.Validate does.
func (c *Case) Validate(report func(field, problem string)) {
	if c.Topic == "" && c.Device == "" {
		report("topic", "is required, or device: whose message it is")
	}
	if c.Topic != "" && c.Device != "" {
		report("device", "does not go with topic, which tells the device: expect names it")
	}
	c.validateMessage(report)
	checkTime(c.Received, "received", report)
	if len(c.Expect) == 0 && c.Rejected == "" {
		report("expect", "is required, or rejected: what has to come of the message")
	}
	if len(c.Expect) > 0 && c.Rejected != "" {
		report("rejected", "does not go with expect: a message that is refused gives no reading")
	}
	if reasons := protocol.Reasons(); c.Rejected != "" && !slices.Contains(reasons, c.Rejected) {
		report("rejected", fmt.Sprintf("is %s, want %s", quote(c.Rejected), oneOf(reasons)))
	}
	for i, e := range c.Expect {
		at := fmt.Sprintf("expect.%d.", i)
		checkTime(e.Time, at+"time", report)
		for _, metric := range sortedKeys(e.Quality) {
			switch q := e.Quality[metric]; q {
			case "good", "uncertain", "bad":
			default:
				report(at+"quality."+metric, fmt.Sprintf("is %s, want good, uncertain or bad", quote(q)))
			}
		}
	}
}

// validateMessage takes the message from the one field that has it.
func (c *Case) validateMessage(report func(field, problem string)) {
	given := 0
	for _, key := range []string{"payload", "hex", "base64", "file"} {
		if c.node != nil && child(c.node, key) == nil {
			continue
		}
		if given++; given == 2 {
			report(key, "is one too many: a test has one message, as payload, hex, base64 or file")
		}
	}
	if given == 0 {
		report("payload", "is required, or hex, base64 or file: the message")
	}
	c.message = []byte(c.Payload)
	if c.Hex != "" {
		text, err := hex.DecodeString(strings.Join(strings.Fields(c.Hex), ""))
		if err != nil {
			report("hex", fmt.Sprintf("is %s, want pairs of hexadecimal digits", quote(c.Hex)))
		}
		c.message = text
	}
	if c.Base64 != "" {
		text, err := base64.StdEncoding.DecodeString(c.Base64)
		if err != nil {
			report("base64", fmt.Sprintf("is %s, which is not base64", quote(c.Base64)))
		}
		c.message = text
	}
}

func checkTime(text, field string, report func(field, problem string)) {
	if text == "" {
		return
	}
	if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
		report(field, fmt.Sprintf("is %s, want a time such as 2026-11-22T12:00:00Z", quote(text)))
	}
}
