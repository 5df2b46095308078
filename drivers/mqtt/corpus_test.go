package mqtt

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"sluice/protocol/payload"
)

// TestCorpusTopics splits the topics of the collection of public payloads, which
// may lie beside the repository, with patterns of ours: what the source takes
// from a level is a capture here, whatever it is called.
func TestCorpusTopics(t *testing.T) {
	text, err := os.ReadFile("../../../shared/corpus/mqtt-topic/topics.jsonl")
	if err != nil {
		t.Logf("no corpus beside this clone: %v", err)
		return
	}
	tried := 0
	for line := range strings.Lines(string(text)) {
		var c struct {
			ID     string
			Config struct {
				Topic    string
				Template *struct{ Tags, Fields string }
			}
			Expected struct{ Tags, Fields map[string]any }
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		tried++
		levels := strings.Split(c.Config.Topic, "/")
		if c.Config.Template != nil {
			for _, template := range []string{c.Config.Template.Tags, c.Config.Template.Fields} {
				for i, name := range strings.Split(template, "/") {
					if name != "_" && name != "" {
						levels[i] = "{" + name + "}"
					}
				}
			}
		}
		device := Device{Topic: strings.Join(levels, "/"), Name: "d", Decode: &payload.Profile{Decode: payload.Decode{JSON: &payload.JSON{}}}}
		got, _, _, err := Explain("d", []Device{device}, c.Config.Topic)
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		for _, tag := range got.Tags {
			want := c.Expected.Tags[tag.Key]
			if want == nil {
				want = c.Expected.Fields[tag.Key]
			}
			if tag.Value != fmt.Sprint(want) {
				t.Errorf("%s: %s is %s, want %v", c.ID, tag.Key, tag.Value, want)
			}
		}
	}
	if tried < 5 {
		t.Errorf("only %d cases", tried)
	}
}
