package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"sluice/firmware-sim/wire/pty"
)

// socket is where a bus is plugged in.
type socket struct {
	mu       sync.Mutex
	tty      *pty.Pty
	listener *net.TCPListener
	path     string // the last one
	closed   bool
}

const maxConns = 64 // connections of one bus at once; further ones are closed

// now returns what the bus is plugged into, nil and nil for nothing.
func (s *socket) now() (*pty.Pty, *net.TCPListener, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tty, s.listener, s.closed
}

// Plug offers the bus at its link or address again after Unplug: a link leads to
// another terminal than before, an address is the same.
func (b *Bus) Plug() error {
	s := &b.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errors.New("plug bus in: it is closed")
	case s.tty != nil || s.listener != nil:
		return errors.New("plug bus in: it is plugged in")
	}
	err := s.listen(b.options.Listen)
	if b.options.Listen == "" {
		err = s.open(b.options.Link)
	}
	if err != nil {
		return fmt.Errorf("plug bus in: %w", err)
	}
	b.look()
	return nil
}

// open opens a terminal of another name than the last one.
func (s *socket) open(link string) error {
	tty, err := pty.Open(link)
	if err != nil {
		return err
	}
	if old := tty; old.Port() == s.path {
		tty, err = pty.Open(link)
		err = errors.Join(err, old.Close())
	}
	if err != nil {
		return err
	}
	s.tty, s.path = tty, tty.Port()
	return nil
}

// listen listens at an address, later on at the one that it was the first time.
func (s *socket) listen(address string) error {
	if address == "" {
		return nil
	}
	if s.path != "" {
		address = s.path
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.listener, s.path = l.(*net.TCPListener), l.Addr().String()
	return nil
}

// Unplug takes the bus away: whoever has the port open sees a hang-up, and the
// link is gone; connections are closed, and the address is not served.
func (b *Bus) Unplug() error {
	s := &b.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unplug()
}

func (s *socket) unplug() error {
	var err error
	if s.tty != nil {
		err = s.tty.Unplug()
	}
	if s.listener != nil {
		err = errors.Join(err, s.listener.Close())
	}
	s.tty, s.listener = nil, nil
	return err
}

// Close takes the bus away for ever, and ends Run.
func (b *Bus) Close() error {
	s := &b.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	b.look()
	return s.unplug()
}

// look has Run look again where the bus is plugged in.
func (b *Bus) look() {
	select {
	case b.change <- struct{}{}:
	default:
	}
}

// Path returns what a gateway opens: the address, the link, or the terminal
// where there is no link. See Terminal.
func (b *Bus) Path() string {
	if b.options.Link != "" {
		return b.options.Link
	}
	return b.Terminal()
}

// Terminal returns the kernel's name of the terminal behind the link, or the
// address. Of an unplugged bus it is the last one.
func (b *Bus) Terminal() string {
	b.socket.mu.Lock()
	defer b.socket.mu.Unlock()
	return b.socket.path
}

// accept serves all who connect, until ctx ends or the listener is closed, and
// ends their connections then.
func (b *Bus) accept(ctx context.Context, l *net.TCPListener) error {
	if err := l.SetDeadline(time.Time{}); err != nil {
		return ended(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	ctx, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer end()
	room := make(chan struct{}, maxConns) // a token for each connection; accept sends, the connection receives at its end
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return ended(err)
		}
		select {
		case room <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		all.Go(func() {
			_ = b.Serve(ctx, conn) // how one connection ends is nobody's business
			_ = conn.Close()
			<-room
		})
	}
}
