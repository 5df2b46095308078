package journal_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

// The journal that the damage is done to: five segments by two processes, in
// records of three readings. "history" has read nothing of it, "hub" stands in the
// middle of a record of the second segment.
const (
	headerSize = 64
	recordSize = 32 + 8 + 80
	perRecord  = 3
	perSegment = 33 * perRecord // the first four are full
	baseEnd    = 4*perSegment + 10*perRecord + 1
	hubAt      = 150
)

// span is the sequences from, from+1, … before to.
type span struct{ from, to uint64 }

// segmentFirst returns the first sequence of segment n, from 1 on.
func segmentFirst(n int) uint64 { return uint64(n-1)*perSegment + 1 }

// recordAt returns where record k of a segment begins.
func recordAt(k int) int64 { return headerSize + int64(k)*recordSize }

// recordSpan returns the readings of the records k to l-1 of segment n.
func recordSpan(n, k, l int) span {
	return span{segmentFirst(n) + uint64(k)*perRecord, segmentFirst(n) + uint64(l)*perRecord}
}

func segmentSpan(n int) span { return span{segmentFirst(n), min(segmentFirst(n+1), baseEnd)} }

// calm is the real file system without waiting for the disk.
type calm struct{ journal.OS }

type calmFile struct{ journal.File }

func (calmFile) Sync() error { return nil }

func (calm) SyncDir(string) error { return nil }

func (c calm) Create(name string) (journal.File, error) {
	f, err := c.OS.Create(name)
	return calmFile{f}, err
}

func (c calm) Open(name string) (journal.File, error) {
	f, err := c.OS.Open(name)
	return calmFile{f}, err
}

// spoiled is a file system in which some files cannot be opened, or be read in
// places.
type spoiled struct {
	journal.FS
	opens map[string]error      // by name without folder
	reads map[string][][2]int64 // what cannot be read, from and to
}

type spoiledFile struct {
	journal.File
	holes [][2]int64
}

func (s *spoiled) Open(name string) (journal.File, error) {
	if err := s.opens[filepath.Base(name)]; err != nil {
		return nil, err
	}
	f, err := s.FS.Open(name)
	return spoiledFile{f, s.reads[filepath.Base(name)]}, err
}

func (f spoiledFile) ReadAt(b []byte, off int64) (int, error) {
	for _, h := range f.holes {
		if off < h[1] && h[0] < off+int64(len(b)) {
			return 0, errInjected
		}
	}
	return f.File.ReadAt(b, off)
}

// base is a sound journal and the ids in it.
type base struct {
	dir string
	ids map[protocol.ID]bool
}

func newBase(t *testing.T) base {
	b := base{t.TempDir(), map[protocol.ID]bool{}}
	for _, records := range []int{3 * 33, 33 + 10} {
		o := calmOptions(b.dir)
		j := open(t, o)
		hub := cursor(t, j, "hub", journal.Oldest)
		cursor(t, j, "history", journal.Oldest)
		for range records {
			put(t, j, perRecord, recordSize-40)
			commit(t, j)
		}
		read(t, hub)
		hub.Ack(hubAt, journal.Outcome{Delivered: hubAt - 1})
		j.Tidy()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range recordsIn(t, b.dir, calm{}) {
		b.ids[protocol.ID{Epoch: r.Epoch, Seq: r.Seq}] = true
	}
	if len(b.ids) != baseEnd/perRecord {
		t.Fatalf("the base holds %d records", len(b.ids))
	}
	return b
}

func calmOptions(dir string) journal.Options {
	o := options(dir)
	o.FS = calm{}
	return o
}

func recordsIn(t *testing.T, dir string, fs journal.FS) (list []journal.Record) {
	t.Helper()
	v, done, err := journal.Look(dir, fs)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if err := v.Records(0, func(r journal.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

// folder is a journal's folder that things are done to.
type folder struct {
	t   *testing.T
	dir string
}

func (b base) copy(t *testing.T) folder {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(b.dir)); err != nil {
		t.Fatal(err)
	}
	return folder{t, dir}
}

func (f folder) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func segmentFile(n int) string { return "journal/000000000" + string(rune('0'+n)) + ".seg" }

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

func (f folder) read(name string) []byte {
	b, err := os.ReadFile(f.path(name))
	f.must(err)
	return b
}

// write replaces a file, which may have other links.
func (f folder) write(name string, b []byte) {
	_ = os.Remove(f.path(name))
	f.must(os.WriteFile(f.path(name), b, 0o640))
}

func (f folder) flip(name string, at int64) {
	b := f.read(name)
	b[at] ^= 0x10
	f.write(name, b)
}

func (f folder) zero(name string, from, to int64) {
	b := f.read(name)
	clear(b[from:min(to, int64(len(b)))])
	f.write(name, b)
}

func (f folder) cut(name string, size int64) { f.write(name, f.read(name)[:size]) }

func (f folder) remove(name string) { f.must(os.RemoveAll(f.path(name))) }

func (f folder) mkdir(name string) {
	f.remove(name)
	f.must(os.Mkdir(f.path(name), 0o750))
}

func (f folder) duplicate(from, to string) { f.write(to, f.read(from)) }

// damage is something done to the base, and what has to come of it.
type damage struct {
	name  string
	apply func(folder)
	fs    func(journal.FS) journal.FS // what the journal sees; nil: what is there

	lost   []span // what no cursor gets, ascending
	begins uint64 // first sequence of the log; 0: 1
	ends   uint64 // where it goes on; 0: baseEnd
	again  uint64 // where the hub begins when its place is lost; 0: hubAt

	repairs map[journal.Repair]uint64 // by the first opening
	found   []journal.Finding         // by Verify before it; Reason is a part of the whole
}

// check does the damage to a copy of the base and holds all that was promised.
func (d damage) check(t *testing.T, b base) {
	d.begins, d.ends, d.again = or(d.begins, 1), or(d.ends, baseEnd), or(d.again, hubAt)
	f := b.copy(t)
	if d.apply != nil {
		d.apply(f)
	}
	o := calmOptions(f.dir)
	if d.fs != nil {
		o.FS = d.fs(o.FS)
	}
	d.verify(t, f.dir, o.FS)

	began := time.Now()
	j := open(t, o)
	if took := time.Since(began); took > time.Second {
		t.Errorf("opens in %v", took)
	}
	said := j.Stats().Repairs
	for _, r := range []journal.Repair{journal.TailTorn, journal.RecordDamaged, journal.FileAside, journal.SegmentMissing, journal.CursorLost, journal.EndMissing} {
		if said[r] != d.repairs[r] {
			t.Errorf("the first opening says %s %d, want %d", r, said[r], d.repairs[r])
		}
	}
	d.evicts(t, j)
	if err := j.Close(); err != nil {
		t.Errorf("close: %v", err)
	}

	j = open(t, o)
	for r, n := range j.Stats().Repairs {
		if n != 0 && n != said[r] {
			t.Errorf("the second opening says %s %d, the first %d", r, n, said[r])
		}
	}
	d.deliver(t, j, b)
	if err := j.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	d.reopen(t, o)
}

// evicts holds that what was in front of the log counts as evicted, by the first
// opening alone.
func (d damage) evicts(t *testing.T, j *journal.Journal) {
	for _, c := range j.Stats().Cursors {
		evicted := uint64(0)
		if stood := d.stood(c.Name); stood < d.begins {
			evicted = d.begins - stood
		}
		if c.Evicted.Total() != evicted {
			t.Errorf("%s: evicted %d, want %d", c.Name, c.Evicted.Total(), evicted)
		}
	}
	balance(t, j)
}

func or(n, otherwise uint64) uint64 {
	if n == 0 {
		return otherwise
	}
	return n
}

// verify compares what Verify finds with what was done.
func (d damage) verify(t *testing.T, dir string, fs journal.FS) {
	v, done, err := journal.Look(dir, fs)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var got []journal.Finding
	v.Verify(func(f journal.Finding) { got = append(got, f) })
	same := slices.EqualFunc(got, d.found, func(g, w journal.Finding) bool {
		return g.File == w.File && g.Offset == w.Offset && g.Readings == w.Readings && strings.Contains(g.Reason, w.Reason)
	})
	if !same {
		t.Errorf("Verify finds\n\t%v\nwant\n\t%v", got, d.found)
	}
}

// deliver reads the journal with the known cursors and a new one, appends to it,
// and holds the accounts.
func (d damage) deliver(t *testing.T, j *journal.Journal, b base) {
	if next := j.Stats().Next; next != d.ends {
		t.Errorf("goes on at %d, want %d", next, d.ends)
	}
	readers := map[string]*journal.Cursor{}
	for _, name := range []string{"hub", "history", "late"} {
		readers[name] = cursor(t, j, name, journal.Oldest)
		d.drain(t, name, readers[name], b.ids, d.wants(d.from(name), d.ends))
	}
	end := d.ends
	for range 40 { // into a second segment
		if first := put(t, j, perRecord, recordSize-40); first != end {
			t.Errorf("appends %d, want %d", first, end)
		}
		commit(t, j)
		end += perRecord
	}
	for name, c := range readers {
		d.drain(t, name, c, nil, sequences(d.ends, end))
	}
	balance(t, j)
	for _, c := range j.Stats().Cursors {
		from := d.from(c.Name)
		damaged := (d.ends - from) - uint64(len(d.wants(from, d.ends)))
		if c.Damaged != damaged || c.Evicted.Total() != 0 || c.InJournal != 0 {
			t.Errorf("%s: damaged %d, evicted %d, in the journal %d; want %d, 0, 0", c.Name, c.Damaged, c.Evicted.Total(), c.InJournal, damaged)
		}
	}
	for _, r := range recordsOf(t, j.View()) {
		if id := (protocol.ID{Epoch: r.Epoch, Seq: r.Seq}); r.Seq >= d.ends && b.ids[id] {
			t.Errorf("id %v is given again", id)
		}
	}
}

func recordsOf(t *testing.T, v *journal.View) (list []journal.Record) {
	t.Helper()
	if err := v.Records(0, func(r journal.Record) error { list = append(list, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

// stood returns where a cursor's file says that it is.
func (d damage) stood(name string) uint64 {
	switch name {
	case "hub":
		return d.again
	case "history":
		return 1
	}
	return d.begins // a new one
}

// from returns where a cursor goes on.
func (d damage) from(name string) uint64 { return max(d.stood(name), d.begins) }

// wants returns the sequences from one to before another that are not lost.
func (d damage) wants(from, to uint64) []uint64 {
	return slices.DeleteFunc(sequences(from, to), func(s uint64) bool {
		return slices.ContainsFunc(d.lost, func(l span) bool { return l.from <= s && s < l.to })
	})
}

func sequences(from, to uint64) (list []uint64) {
	for s := from; s < to; s++ {
		list = append(list, s)
	}
	return list
}

// drain reads and acknowledges all there is, over reads that fail.
func (d damage) drain(t *testing.T, name string, c *journal.Cursor, ids map[protocol.ID]bool, want []uint64) {
	t.Helper()
	var got []uint64
	for failures := 0; failures < 100; {
		r, ok, err := c.Next()
		if err != nil {
			failures++
			continue
		}
		if !ok {
			break
		}
		if binary.LittleEndian.Uint64(r.Payload) != r.Seq {
			t.Errorf("%s: record %d holds the payload of another", name, r.Seq)
		}
		if ids != nil && !ids[protocol.ID{Epoch: r.Epoch, Seq: r.Seq}] {
			t.Errorf("%s: record %d has the id of none", name, r.Seq)
		}
		fresh := uint64(0)
		for s := max(r.Seq, r.From); s < r.Seq+uint64(r.Count); s++ {
			got, fresh = append(got, s), fresh+1
		}
		c.Ack(r.Seq+uint64(r.Count), journal.Outcome{Delivered: fresh})
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s gets %s, want %s", name, ranges(got), ranges(want))
	}
}

// ranges writes sequences in few words.
func ranges(list []uint64) string {
	var b strings.Builder
	for i := 0; i < len(list); {
		k := i
		for k+1 < len(list) && list[k+1] == list[k]+1 {
			k++
		}
		b.WriteString(" " + strconv.FormatUint(list[i], 10) + "–" + strconv.FormatUint(list[k], 10))
		i = k + 1
	}
	return b.String()
}

// reopen holds that nothing comes again and that the log goes on.
func (d damage) reopen(t *testing.T, o journal.Options) {
	j := open(t, o)
	defer j.Close()
	end := d.ends + 40*perRecord
	if next := j.Stats().Next; next != end {
		t.Errorf("goes on at %d after all, want %d", next, end)
	}
	for _, name := range []string{"hub", "history", "late"} {
		d.drain(t, name, cursor(t, j, name, journal.Now), nil, nil)
	}
	put(t, j, perRecord, recordSize-40)
	commit(t, j)
	balance(t, j)
}
