package plain

import "cmp"

// keptBytes is the memory that words may take between messages where their Most
// says nothing else. wordBytes is what stands around each, and counts too.
const (
	keptBytes = 256 << 10
	wordBytes = 96
)

// Words gives words that are found in messages one string each, so that finding
// a word again allocates nothing, and tells words that are used twice in a
// message. Devices that always say something new make it start over. The zero
// Words is ready to use; it is owned by one goroutine.
type Words struct {
	Most int // bytes that are kept between messages; 0: 256 KiB

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
	if w.bytes > cmp.Or(w.Most, keptBytes) {
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

// Take says that this message uses a word that is a string already, and reports
// false when it did so before.
func (w *Words) Take(text string) bool {
	at := w.known[text]
	if at == nil {
		at = w.add(text)
	}
	fresh := at.used != w.turn
	at.used = w.turn
	return fresh
}

func (w *Words) find(text []byte) *word {
	if at := w.known[string(text)]; at != nil {
		return at
	}
	return w.add(string(text))
}

func (w *Words) add(text string) *word {
	if w.known == nil {
		w.known = map[string]*word{}
	}
	at := &word{text: text}
	w.known[text] = at
	w.bytes += len(text) + wordBytes
	return at
}
