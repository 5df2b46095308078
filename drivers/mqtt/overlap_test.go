package mqtt

import (
	"testing"

	"pgregory.net/rapid"
)

// TestCoversAndOverlapsAgreeWithMatch compares both with what matches, over all
// topics of few levels of few words.
func TestCoversAndOverlapsAgreeWithMatch(t *testing.T) {
	words := []string{"a", "b", "$s"}
	var topics []string
	for _, one := range words {
		topics = append(topics, one)
		for _, two := range words {
			topics = append(topics, one+"/"+two)
			for _, three := range words {
				topics = append(topics, one+"/"+two+"/"+three)
				for _, four := range words {
					topics = append(topics, one+"/"+two+"/"+three+"/"+four)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) Pattern {
			text := ""
			for i := range rapid.IntRange(1, 3).Draw(t, label+" levels") {
				if i > 0 {
					text += "/"
				}
				text += rapid.SampledFrom([]string{"a", "b", "$s", "+"}).Draw(t, label)
			}
			text += rapid.SampledFrom([]string{"", "", "/#", "/{r...}"}).Draw(t, label+" end")
			p, err := ParsePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p, q := draw("p"), draw("q")
		covers, overlaps := true, false
		for _, topic := range topics {
			_, inP := p.Match(topic)
			_, inQ := q.Match(topic)
			covers = covers && (inP || !inQ)
			overlaps = overlaps || inP && inQ
		}
		if got := p.Covers(q); got != covers {
			t.Fatalf("%v covers %v: got %v, want %v", p, q, got, covers)
		}
		if got := p.Overlaps(q); got != overlaps || q.Overlaps(p) != overlaps {
			t.Fatalf("%v overlaps %v: got %v, want %v", p, q, got, overlaps)
		}
	})
}
