// Package frame finds messages in a byte stream.
//
// It does no I/O, reads no clock and starts no goroutine: bytes are pushed in
// as they arrive and frames are taken out. How the stream was cut into pieces
// never changes the frames or the counts.
//
// After damage the search goes on inside the bytes of the frame that was
// rejected, at the next place where one may begin, so that a false beginning
// never swallows the good frame behind it. A reader holds no more than twice
// its longest frame.
package frame

// Reader finds the frames of one kind in a byte stream. It is owned by one
// goroutine.
//
//	reader.Feed(received)
//	for frame, ok := reader.Next(); ok; frame, ok = reader.Next() { … }
type Reader interface {
	// Feed adds the bytes that arrived. They must stay as they are until Next
	// has reported that there is no further frame. Feeding again before that
	// is allowed but copies what is left.
	Feed(p []byte)

	// Next returns the next whole frame's payload, or false when more bytes
	// are needed. It is valid until the next call, and never empty.
	Next() ([]byte, bool)

	// Idle says that the line was quiet for the gap: a frame that has begun is
	// over. Next then gives what that completes; what stays incomplete is
	// rejected and searched for frames. It is called when Next has reported
	// false, and Next is called until it does so again.
	Idle()

	// Reset forgets the frame that has begun, for a stream that starts anew.
	// The counts stay.
	Reset()

	// Stats returns the counts since the reader was made.
	Stats() Stats
}

// Stats are the running counts of a Reader.
type Stats struct {
	Frames  int64 // delivered
	Bad     int64 // rejected for a wrong checksum or structure; what lies inside a rejected frame does not count again
	TooLong int64 // rejected for their length, in the same way
	Skipped int64 // bytes that belong to no frame: of rejected frames, and noise
}
