package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"

	"sluice/pipeline/journal"
)

const last = 5 // the base's last segment

func repairs(what journal.Repair, n uint64) map[journal.Repair]uint64 {
	return map[journal.Repair]uint64{what: n}
}

func segmentName(n int) string { return segmentFile(n)[len("journal/"):] }

// aside is what Verify says of a file that is left aside for a reason.
func aside(name, reason string) journal.Finding {
	return journal.Finding{File: name, Reason: reason}
}

// lostAfter is what Verify says when the segments between n and m are missing.
func lostAfter(n, m int) journal.Finding {
	return journal.Finding{
		File: segmentName(n), Offset: recordAt(33), Reason: fmt.Sprintf("is followed by segment %d", m),
		Readings: segmentFirst(m) - segmentFirst(n+1),
	}
}

// TestDamagedJournalsLoseWhatIsDamaged does one thing after another to a sound
// journal.
func TestDamagedJournalsLoseWhatIsDamaged(t *testing.T) {
	b := newBase(t)
	tables := [][]damage{
		{{name: "none"}}, tornTails(), tornMiddles(), flippedHeaders(), flippedRecords(), wholeFiles(),
		newerVersions(), damagedCursors(), foreignThings(), unreadableFiles(),
	}
	for _, table := range tables {
		for _, d := range table {
			t.Run(d.name, func(t *testing.T) { d.check(t, b) })
		}
	}
}

// tornTails cuts the last record off or fills it with zeros, from every byte on.
func tornTails() (list []damage) {
	const size = recordSize
	file, begin, gone := segmentFile(last), recordAt(9), []span{recordSpan(last, 9, 10)}
	unfinished := []journal.Finding{{File: segmentName(last), Offset: begin, Reason: "unfinished record"}}
	for k := range int64(size) {
		cut := damage{
			name: fmt.Sprintf("last record cut at byte %d", k), apply: func(f folder) { f.cut(file, begin+k) },
			lost: gone, ends: gone[0].from, repairs: repairs(journal.TailTorn, 1), found: unfinished,
		}
		zero := damage{
			name: fmt.Sprintf("zeros from byte %d of the last record", k), apply: func(f folder) { f.zero(file, begin+k, 1<<20) },
			lost: gone, ends: gone[0].from, repairs: repairs(journal.TailTorn, 1), found: unfinished,
		}
		if k == 0 {
			cut.repairs, cut.found, zero.repairs, zero.found = nil, nil, nil, nil
		}
		list = append(list, cut)
		if k < 34 { // behind are zeros already
			list = append(list, zero)
		}
	}
	return append(list, damage{
		name: "garbage behind the last record",
		apply: func(f folder) {
			f.write(file, append(f.read(file)[:recordAt(10)], "SL and more that is no record, and a bit of it"...))
		},
		repairs: repairs(journal.TailTorn, 1),
		found:   []journal.Finding{{File: segmentName(last), Offset: recordAt(10), Reason: "unfinished record"}},
	}, damage{
		name: "last segment cut in its middle", apply: func(f folder) { f.cut(file, recordAt(4)+50) },
		lost: []span{recordSpan(last, 4, 10)}, ends: recordSpan(last, 4, 5).from, repairs: repairs(journal.TailTorn, 1),
		found: []journal.Finding{{File: segmentName(last), Offset: recordAt(4), Reason: "unfinished record"}},
	}, damage{
		name: "last segment is zeros behind its header", apply: func(f folder) { f.zero(file, headerSize, 1<<20) },
		lost: []span{segmentSpan(last)}, ends: segmentFirst(last),
	})
}

// tornMiddles cuts a segment in the middle of the log.
func tornMiddles() (list []damage) {
	for k := range int64(recordSize) {
		reason := "holds a damaged record"
		if k == 0 {
			reason = "ends early"
		}
		for _, record := range []int{0, 32} {
			gone := recordSpan(2, record, 33)
			list = append(list, damage{
				name:  fmt.Sprintf("second segment cut at byte %d of record %d", k, record),
				apply: func(f folder) { f.cut(segmentFile(2), recordAt(record)+k) },
				lost:  []span{gone},
				found: []journal.Finding{{File: segmentName(2), Offset: recordAt(record), Reason: reason, Readings: gone.to - gone.from}},
			})
		}
	}
	gone := recordSpan(3, 10, 20)
	return append(list, damage{
		name: "zeros in the third segment", apply: func(f folder) { f.zero(segmentFile(3), recordAt(10)+7, recordAt(20)-40) },
		lost:  []span{gone},
		found: []journal.Finding{{File: segmentName(3), Offset: recordAt(10), Reason: "holds a damaged record", Readings: 30}},
	}, damage{
		name: "the end of the last full segment while the one behind it is empty",
		apply: func(f folder) {
			f.zero(segmentFile(last), headerSize, 1<<20)
			f.zero(segmentFile(4), recordAt(31), 1<<20)
		},
		lost: []span{recordSpan(4, 31, 33), segmentSpan(last)}, ends: segmentFirst(last),
		repairs: repairs(journal.RecordDamaged, 6),
		found:   []journal.Finding{{File: segmentName(4), Offset: recordAt(31), Reason: "is zeros where a record was", Readings: 6}},
	})
}

// flippedHeaders flips a bit in every byte of three segments' headers. One bit is
// mended.
func flippedHeaders() (list []damage) {
	for at := range int64(headerSize) {
		for _, n := range []int{1, 3, last} {
			list = append(list, damage{
				name:  fmt.Sprintf("bit flipped in byte %d of the header of segment %d", at, n),
				apply: func(f folder) { f.flip(segmentFile(n), at) },
			})
		}
	}
	spoil := func(n int) func(folder) { return func(f folder) { f.zero(segmentFile(n), 10, 30) } }
	return append(list, damage{
		name: "first header spoilt", apply: spoil(1), begins: segmentFirst(2),
		lost: []span{segmentSpan(1)}, repairs: repairs(journal.FileAside, 1),
		found: []journal.Finding{aside(segmentName(1), "not a segment"), {File: "history.cursor", Reason: "before the beginning", Readings: perSegment}},
	}, damage{
		name: "third header spoilt", apply: spoil(3),
		lost: []span{segmentSpan(3)}, repairs: repairs(journal.FileAside, 1),
		found: []journal.Finding{aside(segmentName(3), "not a segment"), lostAfter(2, 4)},
	}, damage{
		name: "last header spoilt", apply: spoil(last), ends: segmentFirst(last),
		lost: []span{segmentSpan(last)}, repairs: repairs(journal.FileAside, 1),
		found: []journal.Finding{aside(segmentName(last), "not a segment")},
	})
}

// flippedRecords flips a bit in every byte of a record, in the middle of the log
// and in its last segment.
func flippedRecords() (list []damage) {
	for at := range int64(recordSize) {
		list = append(list, damage{
			name:  fmt.Sprintf("bit flipped in byte %d of a record", at),
			apply: func(f folder) { f.flip(segmentFile(2), recordAt(20)+at) },
			lost:  []span{recordSpan(2, 20, 21)},
			found: []journal.Finding{{File: segmentName(2), Offset: recordAt(20), Reason: "holds a damaged record", Readings: 3}},
		}, damage{
			name:    fmt.Sprintf("bit flipped in byte %d of a record of the last segment", at),
			apply:   func(f folder) { f.flip(segmentFile(last), recordAt(5)+at) },
			lost:    []span{recordSpan(last, 5, 6)},
			repairs: repairs(journal.RecordDamaged, 3),
			found:   []journal.Finding{{File: segmentName(last), Offset: recordAt(5), Reason: "holds a damaged record", Readings: 3}},
		})
	}
	return append(list, damage{
		name: "two records apart and two together",
		apply: func(f folder) {
			for _, k := range []int{3, 7, 8, 32} {
				f.flip(segmentFile(1), recordAt(k)+40)
			}
		},
		lost: []span{recordSpan(1, 3, 4), recordSpan(1, 7, 9), recordSpan(1, 32, 33)},
		found: []journal.Finding{
			{File: segmentName(1), Offset: recordAt(3), Reason: "damaged", Readings: 3},
			{File: segmentName(1), Offset: recordAt(7), Reason: "damaged", Readings: 6},
			{File: segmentName(1), Offset: recordAt(32), Reason: "damaged", Readings: 3},
		},
	})
}

// wholeFiles takes segments away, empties them and makes copies.
func wholeFiles() []damage {
	without := func(ns ...int) func(folder) {
		return func(f folder) {
			for _, n := range ns {
				f.remove(segmentFile(n))
			}
		}
	}
	copied := func(from int, to string) func(folder) {
		return func(f folder) { f.duplicate(segmentFile(from), to) }
	}
	return []damage{
		{name: "first segment missing", apply: without(1), begins: segmentFirst(2), lost: []span{segmentSpan(1)},
			found: []journal.Finding{{File: "history.cursor", Reason: "before the beginning", Readings: perSegment}}},
		{name: "first two segments missing", apply: without(1, 2), begins: segmentFirst(3), lost: []span{{1, segmentFirst(3)}},
			found: []journal.Finding{
				{File: "history.cursor", Reason: "before the beginning", Readings: 2 * perSegment},
				{File: "hub.cursor", Reason: "before the beginning", Readings: segmentFirst(3) - hubAt},
			}},
		{name: "middle segment missing", apply: without(3), lost: []span{segmentSpan(3)}, found: []journal.Finding{lostAfter(2, 4)}},
		{name: "two segments missing", apply: without(2, 3), lost: []span{{segmentFirst(2), segmentFirst(4)}}, found: []journal.Finding{lostAfter(1, 4)}},
		{name: "last segment missing", apply: without(last), ends: segmentFirst(last), lost: []span{segmentSpan(last)}},
		{name: "all segments missing", apply: without(1, 2, 3, 4, 5), begins: hubAt, ends: hubAt, lost: []span{{1, baseEnd}},
			repairs: repairs(journal.EndMissing, hubAt-1),
			found:   []journal.Finding{{File: "history.cursor", Reason: "before the beginning", Readings: hubAt - 1}}},
		{name: "empty file for the first segment", apply: func(f folder) { f.cut(segmentFile(1), 0) }, begins: segmentFirst(2),
			lost: []span{segmentSpan(1)}, repairs: repairs(journal.FileAside, 1),
			found: []journal.Finding{aside(segmentName(1), "not a segment"), {File: "history.cursor", Reason: "before the beginning", Readings: perSegment}}},
		{name: "empty file for a middle segment", apply: func(f folder) { f.cut(segmentFile(3), 0) },
			lost: []span{segmentSpan(3)}, repairs: repairs(journal.FileAside, 1),
			found: []journal.Finding{aside(segmentName(3), "not a segment"), lostAfter(2, 4)}},
		{name: "empty file behind the last segment", apply: func(f folder) { f.write(segmentFile(6), nil) },
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(6), "not a segment")}},
		{name: "file of zeros behind the last segment", apply: func(f folder) { f.write(segmentFile(6), make([]byte, 4096)) },
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(6), "not a segment")}},
		{name: "copy under the next number", apply: copied(2, segmentFile(6)),
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(6), "a copy")}},
		{name: "copy of the last under the next number", apply: copied(last, segmentFile(6)),
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(6), "a copy")}},
		{name: "copy under a foreign name", apply: copied(2, "journal/0000000002.seg.bak")},
		{name: "copy under another spelling of its number", apply: copied(last, "journal/5.seg"),
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside("5.seg", "left aside")}},
		{name: "two segments exchanged", apply: func(f folder) {
			three := f.read(segmentFile(3))
			f.write(segmentFile(3), f.read(segmentFile(2)))
			f.write(segmentFile(2), three)
		}, lost: []span{{segmentFirst(2), segmentFirst(4)}}, repairs: repairs(journal.FileAside, 2),
			found: []journal.Finding{aside(segmentName(2), "a copy"), aside(segmentName(3), "a copy"), lostAfter(1, 4)}},
		{name: "spare missing", apply: func(f folder) { f.remove("journal/spare") }},
		{name: "spare torn", apply: func(f folder) { f.write("journal/spare", make([]byte, 100)) }},
		{name: "spare is a folder", apply: func(f folder) { f.mkdir("journal/spare") }},
		{name: "spare's beginning is a folder", apply: func(f folder) { f.mkdir("journal/spare.tmp") }},
		{name: "spare is a segment", apply: copied(last, "journal/spare")},
		{name: "clock zeroed", apply: func(f folder) { f.zero("journal/clock", 0, 1<<20) }},
		{name: "clock torn", apply: func(f folder) { f.write("journal/clock", []byte("SLUICEC\n")) }},
		{name: "LOCK holds garbage", apply: func(f folder) { f.write("LOCK", []byte("\x00garbage and no number\xff\xff")) }},
	}
}

// reseal gives the segment header in b a checksum that is right.
func reseal(b []byte) {
	binary.LittleEndian.PutUint32(b[12:], 0)
	binary.LittleEndian.PutUint32(b[12:], journal.Checksum(0, b[:headerSize]))
}

// newerVersions makes parts of the journal look like a later release's.
func newerVersions() []damage {
	segment := func(n int) func(folder) {
		return func(f folder) {
			text := f.read(segmentFile(n))
			text[8] = 2
			reseal(text)
			f.write(segmentFile(n), text)
		}
	}
	record := func(n, k int) func(folder) {
		return func(f folder) {
			text := f.read(segmentFile(n))
			r := text[recordAt(k):recordAt(k+1)]
			r[2] = 2
			journal.ResealRecord(r, binary.LittleEndian.Uint64(text[16:]), recordAt(k))
			f.write(segmentFile(n), text)
		}
	}
	newer := aside(segmentName(3), "newer version")
	return []damage{
		{name: "third segment of a newer version", apply: segment(3), lost: []span{segmentSpan(3)},
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{newer, lostAfter(2, 4)}},
		{name: "record of a newer version", apply: record(3, 4), lost: []span{recordSpan(3, 4, 5)},
			found: []journal.Finding{{File: segmentName(3), Offset: recordAt(4), Reason: "newer version", Readings: 3}}},
		{name: "record of a newer version in the last segment", apply: record(last, 4), lost: []span{recordSpan(last, 4, 5)},
			repairs: repairs(journal.RecordDamaged, 3),
			found:   []journal.Finding{{File: segmentName(last), Offset: recordAt(4), Reason: "newer version", Readings: 3}}},
		{name: "last record of a newer version", apply: record(last, 9), lost: []span{recordSpan(last, 9, 10)},
			repairs: repairs(journal.RecordDamaged, 3),
			found:   []journal.Finding{{File: segmentName(last), Offset: recordAt(9), Reason: "newer version", Readings: 3}}},
	}
}

// damagedCursors does things to the hub's place. Of its two slots one is older.
func damagedCursors() (list []damage) {
	const file = "cursors/hub.cursor"
	lostPlace := damage{
		again: 1, repairs: repairs(journal.CursorLost, 1),
		found: []journal.Finding{{File: "hub.cursor", Reason: "no intact place"}},
	}
	all := func(name string, apply func(folder)) damage {
		d := lostPlace
		d.name, d.apply = name, apply
		return d
	}
	for _, size := range []int64{0, 1, 31, 48} {
		list = append(list, all(fmt.Sprintf("cursor cut to %d bytes", size), func(f folder) { f.cut(file, size) }))
	}
	for at := range int64(64) {
		list = append(list, all(fmt.Sprintf("bit flipped in byte %d of both slots", at), func(f folder) {
			f.flip(file, at)
			f.flip(file, 512+at)
		}))
	}
	version := func(f folder, slots ...int) {
		text := f.read(file)
		for _, s := range slots {
			slot := text[s*512 : s*512+512]
			slot[8] = 2
			journal.ResealSlot(slot)
		}
		f.write(file, text)
	}
	place := func(position uint64) func(folder) {
		return func(f folder) { f.write(file, journal.Slots(position)) }
	}
	return append(list,
		all("cursor of zeros", func(f folder) { f.zero(file, 0, 1<<20) }),
		all("cursor of a newer version", func(f folder) { version(f, 0, 1) }),
		all("cursor is a folder", func(f folder) { f.mkdir(file) }),
		damage{name: "cursor missing", apply: func(f folder) { f.remove(file) }, again: 1},
		damage{name: "cursor cut behind its place", apply: func(f folder) {
			place(hubAt)(f)
			f.cut(file, 60)
		}},
		damage{name: "older slot zeroed", apply: func(f folder) {
			place(hubAt)(f)
			f.zero(file, 512, 1024)
		}},
		damage{name: "newer slot zeroed", apply: func(f folder) {
			place(hubAt)(f)
			f.zero(file, 0, 512)
		}, again: 1},
		damage{name: "newer slot torn", apply: func(f folder) {
			place(hubAt)(f)
			f.zero(file, 30, 512)
		}, again: 1},
		damage{name: "cursor beyond the log", apply: place(1000), again: 1000, ends: 1000, lost: []span{{baseEnd, 1000}},
			repairs: repairs(journal.EndMissing, 1000-baseEnd),
			found:   []journal.Finding{{File: "hub.cursor", Reason: "beyond the end", Readings: 1000 - baseEnd}}},
		damage{name: "cursor at the end", apply: place(baseEnd), again: baseEnd},
		damage{name: "cursor before the log", apply: func(f folder) {
			f.remove(segmentFile(1))
			place(50)(f)
		}, again: 50, begins: segmentFirst(2), lost: []span{segmentSpan(1)},
			found: []journal.Finding{
				{File: "history.cursor", Reason: "before the beginning", Readings: perSegment},
				{File: "hub.cursor", Reason: "before the beginning", Readings: segmentFirst(2) - 50},
			}},
	)
}

// foreignThings puts things into the folders that are not the journal's.
func foreignThings() []damage {
	return []damage{
		{name: "foreign files", apply: func(f folder) {
			f.write("journal/README", []byte("hands off"))
			f.write("journal/segment.seg", []byte("no number"))
			f.write("journal/.seg", nil)
			f.write("cursors/hub.cursor~", []byte("an editor's"))
			f.write("cursors/notes.txt", nil)
			f.write("journal/clock.bak", nil)
		}},
		{name: "foreign file with a segment's name", apply: func(f folder) { f.write("journal/0000000009.seg", []byte("hello")) },
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside("0000000009.seg", "not a segment")}},
		{name: "folder with a segment's name", apply: func(f folder) { f.mkdir("journal/0000000009.seg") },
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside("0000000009.seg", "left aside")}},
		{name: "foreign folders", apply: func(f folder) { f.mkdir("journal/lost+found"); f.mkdir("cursors/old") }},
	}
}

// unreadableFiles makes files or parts of them fail to be read.
func unreadableFiles() []damage {
	opens := func(name string, err error) func(journal.FS) journal.FS {
		return func(fs journal.FS) journal.FS { return &spoiled{FS: fs, opens: map[string]error{name: err}} }
	}
	reads := func(name string, from, to int64) func(journal.FS) journal.FS {
		return func(fs journal.FS) journal.FS {
			return &spoiled{FS: fs, reads: map[string][][2]int64{name: {{from, to}}}}
		}
	}
	denied, eio := os.ErrPermission, errors.New("input/output error")
	return []damage{
		{name: "permission denied for a middle segment", fs: opens(segmentName(3), denied), lost: []span{segmentSpan(3)},
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(3), "permission"), lostAfter(2, 4)}},
		{name: "a middle segment cannot be opened", fs: opens(segmentName(2), eio), lost: []span{segmentSpan(2)},
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(2), "input/output"), lostAfter(1, 3)}},
		{name: "a middle segment's header cannot be read", fs: reads(segmentName(3), 0, 512), lost: []span{segmentSpan(3)},
			repairs: repairs(journal.FileAside, 1), found: []journal.Finding{aside(segmentName(3), "injected"), lostAfter(2, 4)}},
	}
}
