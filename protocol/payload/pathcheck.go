package payload

import (
	"fmt"
	"slices"
	"strings"
)

// checkPath returns what is wrong with a path, "" when nothing is.
func checkPath(text string) string {
	steps := strings.Split(strings.TrimPrefix(text, fromRoot), ".")
	switch {
	case slices.Contains(steps, ""):
		return fmt.Sprintf("is %q, want names joined by dots, such as a.b", text)
	case countStars(text) > maxStars:
		return fmt.Sprintf("is %q, want at most %d steps that are *", text, maxStars)
	}
	return ""
}

// checkEach returns what is wrong with the path of what is a reading each, ""
// when nothing is.
func checkEach(text string) string {
	switch {
	case text == "$":
		return ""
	case countStars(text) == maxStars && !strings.HasSuffix(text, "."+anyStep):
		return fmt.Sprintf("is %q, want less than %d steps that are *", text, maxStars)
	}
	return checkPath(text)
}

// checkStars returns what is wrong with the "*" in a good path and the name of its
// metric, "" when nothing is.
func checkStars(name, text string, each bool) string {
	stars, named := countStars(text), strings.Count(name, anyStep)
	switch {
	case stars > 0 && each && strings.HasPrefix(text, fromRoot):
		return fmt.Sprintf("is %q, but what stands beside the readings is one value, without *", text)
	case named > 0 && stars != named:
		return fmt.Sprintf("is %q, where %d steps are *, but the metric's name has %d", text, stars, named)
	}
	return ""
}

// countStars returns how many steps of a path are "*".
func countStars(text string) int {
	p := newPath(text)
	return p.stars
}
