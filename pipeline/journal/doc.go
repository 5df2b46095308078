// Package journal is a segmented log of opaque records with named cursors: what
// was appended and committed is kept until every cursor has passed it.
//
//	append ─► │ 0000000007.seg │ 0000000008.seg │ 0000000009.seg ······· │ spare │
//	               ▲ cursor "history"                ▲ cursor "hub"  ▲ committed
//
// Each record carries the sequence number of its first reading, how many
// readings it holds and a checksum seeded with the segment's epoch. Nobody reads
// a record before it is committed, that is, as durable as the journal's level
// says. A cursor moves on acknowledgement, never on reading.
//
// When the disk fails the appender turns to memory, where segments look the same
// and end with the process, and writes them to the disk when that is back.
//
// One goroutine appends and commits; each cursor is read by one goroutine; Tend
// runs beside them and keeps house. FORMAT.md describes the bytes.
package journal
