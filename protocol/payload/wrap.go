package payload

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"io"

	"sluice/protocol"
)

// wrapNames are the encodings that a profile may name.
var wrapNames = [...]string{"gzip", "deflate", "base64", "hex"}

// wrap undoes one encoding. It keeps its room between messages.
type wrap struct {
	name    string
	in      bytes.Reader
	out     bytes.Buffer
	gzip    gzip.Reader
	zlib    io.ReadCloser // nil until it is used
	flate   io.ReadCloser
	scratch []byte
}

func newWrap(name string) wrap { return wrap{name: name} }

// open returns what p encodes, at most maxMessage bytes. It is valid until the
// next call.
func (w *wrap) open(p []byte) ([]byte, *protocol.Refusal) {
	switch w.name {
	case "hex":
		return w.hex(p)
	case "base64":
		return w.base64(p)
	}
	from, err := w.reader(p)
	if err != nil {
		return nil, w.refuse(err)
	}
	if w.out.Cap() > maxMessage {
		w.out = bytes.Buffer{}
	}
	w.out.Reset()
	n, err := w.out.ReadFrom(io.LimitReader(from, maxMessage+1))
	switch {
	case err != nil:
		return nil, w.refuse(err)
	case n > maxMessage:
		return nil, protocol.Refuse("size", "%s holds more than %d bytes", w.name, maxMessage)
	}
	return w.out.Bytes(), nil
}

func (w *wrap) refuse(err error) *protocol.Refusal {
	return protocol.Refuse("encoding", "the message is no %s: %w", w.name, err)
}

// reader returns a reader of what p compresses. What is called deflate is sent
// both with the frame of zlib (RFC 1950) and without (RFC 1951).
func (w *wrap) reader(p []byte) (io.Reader, error) {
	w.in.Reset(p)
	switch {
	case w.name == "gzip":
		return &w.gzip, w.gzip.Reset(&w.in)
	case len(p) < 2 || p[0]&15 != 8 || (uint(p[0])<<8|uint(p[1]))%31 != 0:
		if w.flate == nil {
			w.flate = flate.NewReader(&w.in)
			return w.flate, nil
		}
		return w.flate, w.flate.(flate.Resetter).Reset(&w.in, nil)
	case w.zlib == nil:
		var err error
		w.zlib, err = zlib.NewReader(&w.in)
		return w.zlib, err
	}
	return w.zlib, w.zlib.(zlib.Resetter).Reset(&w.in, nil)
}

// blankless returns p without blanks and line ends, in memory that is used
// again.
func (w *wrap) blankless(p []byte) []byte {
	w.scratch = again(w.scratch)
	for _, c := range p {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			w.scratch = append(w.scratch, c)
		}
	}
	return w.scratch
}

// hex takes digits of either case, blanks between them, and 0x in front.
func (w *wrap) hex(p []byte) ([]byte, *protocol.Refusal) {
	digits := w.blankless(p)
	digits = bytes.TrimPrefix(bytes.TrimPrefix(digits, []byte("0x")), []byte("0X"))
	n, err := hex.Decode(digits, digits)
	if err != nil {
		return nil, w.refuse(err)
	}
	return digits[:n], nil
}

// base64 takes both alphabets (RFC 4648, sections 4 and 5), padded or not.
func (w *wrap) base64(p []byte) ([]byte, *protocol.Refusal) {
	text := bytes.TrimRight(w.blankless(p), "=")
	for i, c := range text {
		switch c {
		case '-':
			text[i] = '+'
		case '_':
			text[i] = '/'
		}
	}
	n, err := base64.RawStdEncoding.Decode(text, text)
	if err != nil {
		return nil, w.refuse(err)
	}
	return text[:n], nil
}
