// Package pty offers pseudo terminals that stand in for serial ports: a
// program under test opens the link as if it were a port, the simulated device
// reads and writes at the other end.
//
// A pty has no line: it ignores baud rate, parity and stop bits, and takes
// bytes as fast as they are read. It exists on Linux only; elsewhere Open
// returns an error.
package pty
