// Package checksum computes the checksums that devices put behind their
// frames: the CRCs of the RevEng catalogue by its names, and the plain sums.
//
// It does no I/O, reads no clock and starts no goroutine.
package checksum
