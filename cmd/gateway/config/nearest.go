package config

// Suggest returns "; did you mean …?" with those of the known words that word most
// probably means, "" when it is like none of them.
func Suggest(word string, known []string) string {
	near := nearest(word, known)
	if len(near) == 0 {
		return ""
	}
	return "; " + didYouMean(near)
}
