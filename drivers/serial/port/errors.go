package port

import "errors"

// ErrGone means that the device behind the port is not there any more: its plug
// was pulled, or the other end has hung up. The port must be closed, and opened
// again by its name when it is back.
var ErrGone = errors.New("port is gone")

// ErrBusy means that another program, or another part of this one, has the port
// open for itself.
var ErrBusy = errors.New("port is in use")

// ErrEcho means that what came back is not what was sent: another station has
// spoken at the same time, or this adapter gives no echo.
var ErrEcho = errors.New("echo differs from what was sent")
