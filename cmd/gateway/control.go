package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	socketName = "sluice.sock"
	socketMode = 0o660
	maxSocket  = 107      // bytes of a unix socket's path
	maxOrder   = 64 << 10 // bytes of one order
	maxOrders  = 8        // for the journal, carried out at a time
	maxTelling = 64       // commands to devices, carried out at a time

	// receive is how long a client has to send its order.
	receive = 5 * time.Second

	// hangUp is how long clients have to take the last of an answer when the
	// gateway stops.
	hangUp = time.Second
)

// control takes orders on a unix socket in the pipeline's folder, from whoever may
// write to that: everything that changes the gateway's state comes this way.
type control struct {
	listener net.Listener
	path     string
	gateway  *gateway
	log      *slog.Logger
	slots    chan struct{} // holds one per order for the journal being carried out, and its capacity bounds them; never closed
	telling  chan struct{} // as slots, of commands to devices: one that is slow holds up no order
}

// openControl opens the socket in dir, whose journal g has open: a socket that is
// there already is that of a process which has ended.
func openControl(dir string, g *gateway) (*control, error) {
	path := filepath.Join(dir, socketName)
	if len(path) > maxSocket {
		return nil, fmt.Errorf("listen on %s: its path has %d bytes, a socket's may have %d: name pipeline.dir by a shorter path", path, len(path), maxSocket)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, fmt.Errorf("listen on %s: something else has that name", path)
	}
	// Under another name until nobody else can connect to it.
	making := filepath.Join(dir, "sluice.new")
	if err := os.Remove(making); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: making, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	listener.SetUnlinkOnClose(false)
	if err = os.Chmod(making, socketMode); err == nil {
		err = os.Rename(making, path)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, errors.Join(err, listener.Close(), os.Remove(making)))
	}
	return &control{
		listener: listener, path: path, gateway: g, log: g.log,
		slots: make(chan struct{}, maxOrders), telling: make(chan struct{}, maxTelling),
	}, nil
}

var errStopping = errors.New("the gateway stops before all is done")

// run takes orders until ctx ends. When it returns none is being carried out, and
// the socket is gone.
func (c *control) run(ctx context.Context) {
	serving, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	server := &http.Server{
		Handler: c.routes(), ReadHeaderTimeout: receive, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return serving },
		ErrorLog:    slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{}) // closed by the goroutine below, when the server has stopped
	go func() {
		defer close(stopped)
		<-ctx.Done()
		stop(errStopping)
		last, done := context.WithTimeout(context.WithoutCancel(ctx), hangUp)
		defer done()
		if server.Shutdown(last) != nil {
			server.Close()
		}
	}()
	if err := server.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		c.log.Error("commands are not taken any more", "socket", c.path, "err", err)
	}
	<-stopped
	for _, slots := range []chan struct{}{c.slots, c.telling} { // until the last order is done
		for range cap(slots) {
			slots <- struct{}{}
		}
	}
	c.close()
}

// close removes the socket.
func (c *control) close() {
	c.listener.Close()
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.log.Warn("socket stays behind", "err", err)
	}
}

// routes is all that the socket serves.
func (c *control) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /journal/{order}", c.journal)
	mux.HandleFunc("POST /devices", c.devices)
	mux.HandleFunc("POST /devices/tell", c.tell)
	mux.HandleFunc("POST /devices/commands", c.commands)
	mux.HandleFunc("POST /reload", c.reload)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, usageError{fmt.Errorf("gateway %s knows no %s %s", version(), r.Method, r.URL.Path)})
	})
	return mux
}

// outcome is how an order ended: the body of an answer that is nothing else, or
// the trailer of one that is more.
type outcome struct {
	Exit  int      `json:"exit"`            // code of the command
	Error string   `json:"error,omitempty"` // "": there is none, or it has been told
	Notes []string `json:"notes,omitempty"`
}

// outcomeTrailer names the trailer; its value is escaped as in a URL's path.
const outcomeTrailer = "Sluice-Outcome"

func outcomeOf(err error, notes []string) outcome {
	var usage usageError
	var told toldError
	switch {
	case err == nil:
		return outcome{exitOK, "", notes}
	case errors.As(err, &told):
		return outcome{told.code, "", notes}
	case errors.As(err, &usage):
		return outcome{exitUsage, err.Error(), notes}
	}
	return outcome{exitFailure, err.Error(), notes}
}

// refuse answers that nothing was done.
func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(outcomeOf(err, nil)) // the client may have gone
}

// journal carries out an order for the journal.
func (c *control) journal(w http.ResponseWriter, r *http.Request) {
	o := newOrder(r.PathValue("order"))
	if o == nil {
		refuse(w, http.StatusNotFound, usageError{fmt.Errorf("gateway %s knows no journal command %q", version(), r.PathValue("order"))})
		return
	}
	c.carryOut(w, r, o, c.slots, func(ctx context.Context, out *answer) error {
		err := o.carryOut(ctx, c.gateway.pipeline.Archive(), out)
		if o.changes() && err == nil {
			order, _ := json.Marshal(o) // strings, numbers and times alone: cannot fail
			c.log.Info("journal command is carried out", "command", o.name(), "order", string(order))
		}
		return err
	})
}

// devices lists the devices.
func (c *control) devices(w http.ResponseWriter, r *http.Request) {
	o := &devicesOrder{}
	c.carryOut(w, r, o, c.slots, func(_ context.Context, out *answer) error { return c.gateway.listDevices(o, out) })
}

// tell tells a device something.
func (c *control) tell(w http.ResponseWriter, r *http.Request) {
	o := &tellOrder{}
	c.carryOut(w, r, o, c.telling, func(ctx context.Context, out *answer) error { return c.gateway.tell(ctx, o, out) })
}

// commands lists what devices can be told.
func (c *control) commands(w http.ResponseWriter, r *http.Request) {
	o := &commandsOrder{}
	c.carryOut(w, r, o, c.slots, func(_ context.Context, out *answer) error { return c.gateway.listCommands(o, out) })
}

// reload has the gateway take its configuration over.
func (c *control) reload(w http.ResponseWriter, r *http.Request) {
	o := &reloadOrder{}
	c.carryOut(w, r, o, c.slots, func(_ context.Context, out *answer) error { return c.gateway.reload(out) })
}

// carryOut reads the order o and has do carry it out, as one of as many at a time
// as slots holds.
func (c *control) carryOut(w http.ResponseWriter, r *http.Request, o any, slots chan struct{}, do func(context.Context, *answer) error) {
	if err := readOrder(w, r, o); err != nil {
		refuse(w, http.StatusBadRequest, usageError{fmt.Errorf("gateway %s cannot read the order: %w", version(), err)})
		return
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	default:
		refuse(w, http.StatusServiceUnavailable, fmt.Errorf("the gateway carries out %d commands already", cap(slots)))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &answer{out: pieces{w}}
	err := context.Cause(r.Context())
	if err == nil {
		err = do(r.Context(), out)
	}
	text, _ := json.Marshal(outcomeOf(err, out.notes)) // strings and numbers alone: cannot fail
	w.Header().Set(http.TrailerPrefix+outcomeTrailer, url.PathEscape(string(text)))
}

// readOrder reads the order that a request brings.
func readOrder(w http.ResponseWriter, r *http.Request, o any) error {
	deadline := http.NewResponseController(w)
	if err := deadline.SetReadDeadline(time.Now().Add(receive)); err != nil {
		return err
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(o); err != nil {
		return err
	}
	return deadline.SetReadDeadline(time.Time{}) // it may take long to answer
}

// pieces sends what is written at once.
type pieces struct{ http.ResponseWriter }

func (p pieces) Write(b []byte) (int, error) {
	n, err := p.ResponseWriter.Write(b)
	if err == nil {
		err = http.NewResponseController(p.ResponseWriter).Flush()
	}
	return n, err
}

var _ io.Writer = pieces{}
