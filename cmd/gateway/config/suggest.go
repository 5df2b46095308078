package config

import (
	"strconv"
	"strings"
)

// nearest returns those of the known words that word most probably means, none
// when it is like none of them.
func nearest(word string, known []string) []string {
	limit := 2
	if len(word) <= 3 {
		limit = 1
	}
	var near []string
	for _, k := range known {
		d := distance([]rune(fold(word)), []rune(fold(k)), limit)
		if d > limit {
			continue
		}
		if d < limit {
			limit, near = d, nil
		}
		near = append(near, k)
	}
	return near
}

// fold makes words equal that differ only in how their parts are joined.
func fold(word string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(word))
}

// distance returns how many letters have to be inserted, removed, replaced or
// swapped with their neighbour to make b of a; beyond limit, anything larger.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// didYouMean asks for the words of nearest.
func didYouMean(near []string) string {
	quoted := make([]string, len(near))
	for i, w := range near {
		quoted[i] = strconv.Quote(w)
	}
	return "did you mean " + oneOf(quoted) + "?"
}

// oneOf joins words as in "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
