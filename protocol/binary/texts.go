package binary

// The bounds of what Texts keeps.
const (
	keptTexts = 1024
	keptText  = 256 // bytes
)

// Texts gives texts that come again and again one string each, so that reading
// them allocates nothing. It is owned by one goroutine; a nil Texts keeps
// nothing.
type Texts struct {
	known map[string]string
	swap  []byte // a text whose bytes stand in the right order
}

// NewTexts returns a Texts that keeps at most 1024 texts of at most 256 bytes.
// Where there are more it starts over.
func NewTexts() *Texts { return &Texts{known: map[string]string{}} }

// of returns p as a string.
func (t *Texts) of(p []byte) string {
	if t == nil || len(p) > keptText {
		return string(p)
	}
	if s, ok := t.known[string(p)]; ok {
		return s
	}
	if len(t.known) >= keptTexts {
		clear(t.known)
	}
	s := string(p)
	t.known[s] = s
	return s
}

// swapped returns the bytes of p with those of each register the other way
// round.
func (t *Texts) swapped(p []byte) []byte {
	var to []byte
	if t != nil {
		to = t.swap[:0]
	}
	to = append(to, p...)
	for i := 1; i < len(to); i += 2 {
		to[i-1], to[i] = to[i], to[i-1]
	}
	if t != nil {
		t.swap = to
	}
	return to
}
