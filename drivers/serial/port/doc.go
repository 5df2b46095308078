// Package port opens serial ports and reads and writes them with deadlines.
//
// On Linux github.com/tarm/serial opens the port and sets its line. Its own
// descriptor blocks: a Read on it holds a thread, and Close waits for that
// Read. So it only stays open, and the bytes travel over a second descriptor of
// the same port that Go's poller serves (line settings belong to the port, not
// to a descriptor), and what only some ports can do is asked for there: turning
// an RS-485 line round, modem lines, low latency. Elsewhere the port is
// tarm/serial alone.
//
// A Keeper opens a port as often as its device comes back, a Trace records the
// traffic.
package port
