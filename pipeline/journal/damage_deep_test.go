package journal_test

import (
	"encoding/binary"
	"os"
	"slices"
	"testing"

	"sluice/pipeline/journal"
)

// TestInnerRecordIsNeverDelivered puts a correct record of the right epoch and a
// higher sequence into a payload, and damages what is around it.
func TestInnerRecordIsNeverDelivered(t *testing.T) {
	const outer = 5 // the record that holds another
	for _, where := range []string{"middle", "end"} {
		for name, damageAt := range map[string]int64{"intact": -1, "payload": 32 + 1, "magic": 0, "length": 4, "sequence": 9, "checksum": 20} {
			t.Run(where+" "+name, func(t *testing.T) {
				o := calmOptions(t.TempDir())
				j := open(t, o)
				cursor(t, j, "hub", journal.Oldest)
				begin := int64(headerSize)
				for k := range 20 {
					epoch := uint64(0)
					if k > 0 {
						epoch = j.View().Segments[0].Epoch
					}
					first := j.Stats().Next
					_, err := j.Append(perRecord, func(dst []byte, _ bool) []byte {
						dst = binary.LittleEndian.AppendUint64(dst, first)
						if k != outer {
							return dst
						}
						return append(dst, journal.EncodeRecord(epoch, headerSize, first+21, perRecord, binary.LittleEndian.AppendUint64(nil, first+21))...)
					})
					if err != nil {
						t.Fatal(err)
					}
					commit(t, j)
					if k < outer {
						begin += 32 + 8
					}
				}
				if where == "middle" { // what follows is in a second segment
					for len(j.View().Segments) < 2 {
						put(t, j, perRecord, 400)
						commit(t, j)
					}
				}
				end := j.Stats().Next
				j.Close()
				want := sequences(1, end)
				if damageAt >= 0 {
					folder{t, o.Dir}.flip(segmentFile(1), begin+damageAt)
					want = slices.Delete(want, perRecord*outer, perRecord*outer+perRecord)
				}
				j = open(t, o)
				defer j.Close()
				if next := j.Stats().Next; next != end {
					t.Errorf("goes on at %d, want %d", next, end)
				}
				if got := read(t, cursor(t, j, "hub", journal.Now)); !slices.Equal(got, want) {
					t.Errorf("gets %s, want %s", ranges(got), ranges(want))
				}
			})
		}
	}
}

// TestUnreadablePageCostsItsRecords makes one page of a larger segment fail. When
// it is the end of the log, nobody knows how many readings were in it.
func TestUnreadablePageCostsItsRecords(t *testing.T) {
	o := calmOptions(t.TempDir())
	o.SegmentSize = 32 * kib
	j := open(t, o)
	cursor(t, j, "hub", journal.Oldest)
	for range 600 {
		put(t, j, perRecord, recordSize-40)
		commit(t, j)
	}
	j.Close()
	const page = 4 * kib
	for _, n := range []int{1, 2, 3} { // the third is the last
		for p := int64(1); p < 6; p++ {
			o.FS = &spoiled{FS: calm{}, reads: map[string][][2]int64{segmentName(n): {{p * page, (p + 1) * page}}}}
			v, done, err := journal.Look(o.Dir, o.FS)
			if err != nil {
				t.Fatal(err)
			}
			total := v.Verify(func(journal.Finding) {})
			done()
			j := open(t, o)
			c := cursor(t, j, "hub", journal.Now)
			c.Ack(1, journal.Outcome{})
			var got []uint64
			for failures := 0; failures < 100; {
				r, ok, err := c.Next()
				if err == nil && !ok {
					break
				}
				if err != nil {
					failures++
					continue
				}
				got = append(got, r.Seq)
			}
			end := j.Stats().Next
			if atEnd := n == 3 && p == 1; end != 1801 && !atEnd || end < 1801 {
				t.Errorf("segment %d page %d: goes on at %d, want 1801", n, p, end)
			}
			wide := (32*kib - headerSize) / recordSize
			var want []uint64
			for k := range 600 {
				at := recordAt(k % wide)
				if k/wide+1 == n && at < (p+1)*page && p*page < at+recordSize {
					continue
				}
				want = append(want, uint64(k)*perRecord+1)
			}
			if total.Records != uint64(len(want)) || n < 3 && total.Lost != 1800-total.Readings {
				t.Errorf("segment %d page %d: Verify tells %+v, want %d records", n, p, total, len(want))
			}
			if !slices.Equal(got, want) {
				t.Errorf("segment %d page %d: gets %d records, want %d", n, p, len(got), len(want))
			}
			if s := j.Stats().Cursors[0]; s.Damaged != end-1-uint64(len(want))*perRecord {
				t.Errorf("segment %d page %d: damaged %d of %d, got %d", n, p, s.Damaged, end-1, len(want)*perRecord)
			}
			j.Abandon()
		}
	}
}

// TestLastSegmentComesBack opens the journal while its last segment cannot be
// used, appends, and opens it when that segment is there again.
func TestLastSegmentComesBack(t *testing.T) {
	b := newBase(t)
	name := segmentName(last)
	for reason, away := range map[string]func(folder) journal.FS{
		"permission": func(folder) journal.FS { return &spoiled{FS: calm{}, opens: map[string]error{name: os.ErrPermission}} },
		"EIO": func(folder) journal.FS {
			return &spoiled{FS: calm{}, reads: map[string][][2]int64{name: {{0, 4096}}}}
		},
		"newer version": func(f folder) journal.FS {
			text := f.read(segmentFile(last))
			text[8] = 2
			reseal(text)
			f.write(segmentFile(last), text)
			return calm{}
		},
	} {
		t.Run(reason, func(t *testing.T) {
			f := b.copy(t)
			o := calmOptions(f.dir)
			sound := f.read(segmentFile(last))
			o.FS = away(f)
			j := open(t, o)
			first := put(t, j, perRecord, recordSize-40)
			commit(t, j)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}

			f.write(segmentFile(last), sound)
			o.FS = calm{}
			j = open(t, o)
			defer j.Close()
			want := append(sequences(1, baseEnd), sequences(first, first+perRecord)...)
			if got := read(t, cursor(t, j, "late", journal.Oldest)); !slices.Equal(got, want) {
				t.Errorf("gets %s, want %s", ranges(got), ranges(want))
			}
		})
	}
}

// TestUnreadableCursorKeepsItsPlace opens the journal while a cursor's file cannot
// be read, and again.
func TestUnreadableCursorKeepsItsPlace(t *testing.T) {
	b := newBase(t)
	for reason, fs := range map[string]*spoiled{
		"permission": {FS: calm{}, opens: map[string]error{"hub.cursor": os.ErrPermission}},
		"EIO":        {FS: calm{}, reads: map[string][][2]int64{"hub.cursor": {{0, 1024}}}},
	} {
		t.Run(reason, func(t *testing.T) {
			o := calmOptions(b.copy(t).dir)
			o.FS = fs
			j := open(t, o)
			j.Abandon() // at once
			o.FS = calm{}
			j = open(t, o)
			defer j.Close()
			if s := j.Stats().Cursors; len(s) != 2 || s[1].Position != hubAt {
				t.Errorf("the cursors are %+v, want hub at %d", s, hubAt)
			}
		})
	}
}
