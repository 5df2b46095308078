package plain

// keptBytes is the memory that words may take between messages, each counted
// with wordBytes for what stands around it. Devices that always say something
// new make it start over.
const (
	keptBytes = 256 << 10
	wordBytes = 96
)

// Words gives words that are found in messages one string each, so that finding
// a word again allocates nothing, and tells words that are used twice in a
// message. The zero Words is ready to use; it is owned by one goroutine.
type Words struct {
	known map[string]*word
	turn  uint64 // counts messages
	bytes int    // what all that is known takes
}

type word struct {
	text string
	used uint64 // the turn in which it was used last
}

// Next begins a message.
func (w *Words) Next() {
	w.turn++
	if w.bytes > keptBytes {
		clear(w.known)
		w.bytes = 0
	}
}

// Get returns text as a string.
func (w *Words) Get(text []byte) string { return w.find(text).text }

// Use returns text as a string, and false when this message used it before.
func (w *Words) Use(text []byte) (string, bool) {
	at := w.find(text)
	fresh := at.used != w.turn
	at.used = w.turn
	return at.text, fresh
}

func (w *Words) find(text []byte) *word {
	if at := w.known[string(text)]; at != nil {
		return at
	}
	if w.known == nil {
		w.known = map[string]*word{}
	}
	at := &word{text: string(text)}
	w.known[at.text] = at
	w.bytes += len(at.text) + wordBytes
	return at
}
