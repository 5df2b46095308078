package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"sluice/protocol/payload"
)

// wraps is what stands around a message: the encodings that a device applies to
// it, and the JSON in which a network server forwards it.
type wraps struct {
	names  []string   // the first one applied comes first
	inside *treeShape // nil: nothing
	zip    sync.Pool  // of packers for each way to compress: they are large
	zlib   sync.Pool
	flate  sync.Pool
}

// packer compresses what is written to it until it is closed.
type packer interface {
	io.WriteCloser
	Reset(io.Writer)
}

// newWraps returns what a profile says about its messages, nil when that is
// nothing.
func newWraps(p *payload.Profile) (*wraps, error) {
	w := &wraps{names: strings.Fields(p.Encoding)}
	slices.Reverse(w.names)
	for _, name := range w.names {
		if !slices.Contains([]string{"gzip", "deflate", "base64", "hex"}, name) {
			return nil, fmt.Errorf("encoding %q is not known", name)
		}
	}
	if p.Inside != "" {
		root := &node{leaf: branch}
		_ = root.place(starless(strings.TrimPrefix(p.Inside, "$."), "first"), 0) // the only one
		w.inside = root.shape([]Slot{{shown: Word}}, nil)
	}
	if len(w.names) == 0 && w.inside == nil {
		return nil, nil
	}
	w.zip.New = func() any { z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return z }
	w.zlib.New = func() any { z, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed); return z }
	w.flate.New = func() any { z, _ := flate.NewWriter(nil, flate.BestSpeed); return z }
	return w, nil
}

// around returns the message with what stands around it, and false when it is
// no text and has to be one.
func (w *wraps) around(p []byte, r *rand.Rand) ([]byte, bool) {
	for _, name := range w.names {
		switch name {
		case "gzip":
			p = pack(&w.zip, p)
		case "deflate": // with or without the frame of zlib
			if r.IntN(2) == 0 {
				p = pack(&w.zlib, p)
			} else {
				p = pack(&w.flate, p)
			}
		case "base64":
			p = toBase64(p, r)
		case "hex":
			p = toHex(p, r)
		}
	}
	if w.inside == nil {
		return p, true
	}
	if !utf8.Valid(p) {
		return nil, false
	}
	return w.inside.json().compose(nil, &message{texts: []string{string(p)}})
}

func pack(packers *sync.Pool, p []byte) []byte {
	z := packers.Get().(packer)
	defer packers.Put(z)
	var out bytes.Buffer
	z.Reset(&out)
	_, _ = z.Write(p) // to memory: cannot fail
	_ = z.Close()
	return out.Bytes()
}

// toBase64 uses both alphabets, with and without padding.
func toBase64(p []byte, r *rand.Rand) []byte {
	alphabets := [...]*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding}
	return alphabets[r.IntN(len(alphabets))].AppendEncode(nil, p)
}

// toHex uses digits of either case.
func toHex(p []byte, r *rand.Rand) []byte {
	digits := hex.AppendEncode(nil, p)
	if r.IntN(2) == 0 {
		digits = bytes.ToUpper(digits)
	}
	return digits
}
