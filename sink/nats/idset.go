package nats

import "sluice/protocol"

// The bounds of an idSet. Ids in a row, as a gateway's are, take one bit each;
// 262,144 words are some 14 MB, which only ids without neighbours fill.
const (
	mostIDs   = 1 << 20
	mostWords = 1 << 18
)

// idSet is a bounded set of reading ids. 64 neighbours share a word. The zero
// value is empty.
type idSet struct {
	words map[wordKey]uint64
	n     int // ids
}

// wordKey names the word of the ids from 64*at on.
type wordKey struct{ epoch, at uint64 }

func wordOf(id protocol.ID) (key wordKey, bit uint64) {
	return wordKey{id.Epoch, id.Seq / 64}, 1 << (id.Seq % 64)
}

// add reports false when the set is full and id not in it. The zero ID, which
// names no reading, is never added.
func (s *idSet) add(id protocol.ID) bool {
	if id == (protocol.ID{}) {
		return true
	}
	key, bit := wordOf(id)
	word, ok := s.words[key]
	switch {
	case word&bit != 0:
		return true
	case s.n >= mostIDs, !ok && len(s.words) >= mostWords:
		return false
	case s.words == nil:
		s.words = map[wordKey]uint64{}
	}
	s.words[key] = word | bit
	s.n++
	return true
}

func (s *idSet) has(id protocol.ID) bool {
	if s.n == 0 {
		return false
	}
	key, bit := wordOf(id)
	return s.words[key]&bit != 0
}

// remove reports whether id was in the set.
func (s *idSet) remove(id protocol.ID) bool {
	if !s.has(id) {
		return false
	}
	s.n--
	key, bit := wordOf(id)
	switch word := s.words[key] &^ bit; {
	case s.n == 0:
		s.words = nil
	case word == 0:
		delete(s.words, key)
	default:
		s.words[key] = word
	}
	return true
}

func (s *idSet) clear() { *s = idSet{} }
