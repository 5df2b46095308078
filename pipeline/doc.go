// Package pipeline is how readings travel: every driver has an intake, one
// committer writes what arrives to the journal, and every sink has a delivery
// that reads the journal behind a cursor of its own.
//
//	driver ─► intake ─┐                                   ┌─► delivery ─► sink
//	driver ─► intake ─┼─► committer ─► journal ═══════════╪═► delivery ─► sink
//	driver ─► intake ─┘    │   (durable)                  └─► delivery ─► sink
//	   ▲                   │
//	   └────── Done ───────┘
//
// Nothing on the left waits for anything on the right: an intake that is full
// says so at once, the committer waits for the disk alone, and a delivery for
// nobody but its own sink. Drivers know this package only as the Emitter that
// they declare themselves.
package pipeline
