package influx

import (
	"bytes"
	"io"
	"sync"
)

// bodies makes request bodies of one buffer and knows when the HTTP client has
// let go of them: it may still read a body after the response came, so the
// buffer may be written again only after wait.
type bodies struct{ open sync.WaitGroup }

// of returns a body that reads data.
func (b *bodies) of(data []byte) io.ReadCloser {
	b.open.Add(1)
	return &body{Reader: bytes.NewReader(data), release: sync.OnceFunc(b.open.Done)}
}

// wait returns when all bodies are closed, which the HTTP client does soon after
// a request has ended.
func (b *bodies) wait() { b.open.Wait() }

type body struct {
	*bytes.Reader
	release func()
}

func (b *body) Close() error {
	b.release()
	return nil
}
