package file

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// place is how far the sink has come, and by what it recognises the file in which
// that is: not by its inode, which the next file may get and a copy does not
// have, but by the last of what was written.
type place struct {
	Path   string `json:"path"`   // digest of the file's path
	Format string `json:"format"` // of its lines
	Began  string `json:"began"`  // stamp of the file that was rotated away before this one began, "": none
	Since  int64  `json:"since"`  // when it began, Unix seconds
	At     int64  `json:"at"`     // bytes that are confirmed
	Tail   int    `json:"tail"`   // so many of them, the last ones, have
	Sum    string `json:"sum"`    // this digest
	Cut    int64  `json:"cut"`    // so much of what was cut away has been written again,
	CutOf  int64  `json:"cut_of"` // of so much
}

// longestTail bounds what has to be read to recognise a file.
const longestTail = 4 << 10

// end notes that the file is confirmed up to at, where text ends.
func (p *place) end(at int64, text []byte) {
	text = text[max(0, len(text)-longestTail):]
	p.At, p.Tail, p.Sum = at, len(text), digest(text)
}

// isIn reports whether the file f, of that size, holds what p remembers.
func (p *place) isIn(f handle, size int64) (bool, error) {
	if p.At == 0 || size < p.At {
		return false, nil
	}
	tail, err := readBefore(f, p.At, p.Tail)
	return err == nil && digest(tail) == p.Sum, err
}

// readBefore returns the n bytes of f that end at the offset at.
func readBefore(f handle, at int64, n int) ([]byte, error) {
	text := make([]byte, n)
	if _, err := f.ReadAt(text, at-int64(n)); err != nil {
		return nil, err
	}
	return text, nil
}

// digest returns 24 characters that stand for text.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

func (p *place) marshal() []byte {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}

func parsePlace(memory []byte) (place, error) {
	var p place
	if err := json.Unmarshal(memory, &p); err != nil {
		return place{}, err
	}
	if p.At < 0 || p.Cut < 0 || p.Tail < 0 || p.Tail > longestTail || int64(p.Tail) > p.At {
		return place{}, fmt.Errorf("%d bytes before offset %d", p.Tail, p.At)
	}
	return p, nil
}
