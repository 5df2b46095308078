package file

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/protocol"
	"sluice/sink"
)

// history writes n batches of ten and returns what was remembered after each.
func (r *rig) history(n int) [][]byte {
	r.t.Helper()
	s := r.make(nil)
	s.cfg.MaxSize = 3000 // two batches each
	var memories [][]byte
	for range n {
		r.write(s, r.batch(10))
		memories = append(memories, slices.Clone(s.Remember()))
	}
	if err := s.Close(); err != nil {
		r.t.Error(err)
	}
	if len(memories[0]) > 400 {
		r.t.Errorf("%d bytes are remembered", len(memories[0]))
	}
	return memories
}

func (r *rig) read(path string) []byte {
	r.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

func (r *rig) put(path string, text []byte) {
	r.t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// asides returns the files that were set aside.
func (r *rig) asides() (paths []string) {
	for _, name := range r.files() {
		if strings.Contains(name, ".aside-") {
			paths = append(paths, filepath.Join(filepath.Dir(r.cfg.Path), name))
		}
	}
	return paths
}

// However old the memory is, what came after it is cut away or brought back.
func TestMemoryOlderThanTheFile(t *testing.T) {
	for _, gzip := range []bool{false, true} {
		for k := range 9 {
			t.Run(fmt.Sprintf("gzip=%v/%d", gzip, k), func(t *testing.T) {
				r := newRig(t)
				r.cfg.Gzip, r.cfg.Keep = gzip, Keep{}
				memories := r.history(9)
				if gzip {
					if err := r.open(nil).attic.tidy(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				r.wantStored(90)
				r.made = 10 * (k + 1)
				s := r.open(memories[k])
				if err := s.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.wantStored(10 * (k + 1))
				r.write(s, r.batch(90-10*(k+1)+5))
				r.wantStored(95)
				if len(r.asides()) != 0 || exists(osDisk{}, s.cutPath()) {
					t.Errorf("left behind: %q", r.files())
				}
			})
		}
	}
}

// A journal that was restored from a backup does not have what was written since.
// It is not in the series any more, but it is there.
func TestJournalOlderThanTheFile(t *testing.T) {
	for _, gzip := range []bool{false, true} {
		r := newRig(t)
		r.cfg.Gzip, r.cfg.Keep = gzip, Keep{}
		memories := r.history(9)
		if gzip {
			if err := r.open(nil).attic.tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s := r.open(memories[2])
		r.made = 30
		backlog := r.batch(10) // the backup had these, and then other devices came
		r.write(s, backlog)
		for i := range backlog {
			backlog[i].ID.Epoch = 8
			backlog[i].Metrics[0].Value = protocol.Int(int64(41 + i))
			backlog[i].ReceivedTime += 1_000_000
		}
		r.write(s, backlog)
		r.wantStored(50)
		r.wantLog("what was cut away is not written again as it was")
		asides := r.asides()
		if len(asides) != 1 {
			t.Fatalf("files %q, want one set aside", r.files())
		}
		if kept := r.numbersIn(asides[0]); len(kept) != 60 || kept[0] != 31 || kept[59] != 90 {
			t.Errorf("%d readings kept: %v", len(kept), kept)
		}
	}
}

// More than a crash can have left is not cut away at all.
func TestMoreThanACrashExplains(t *testing.T) {
	for _, maxSize := range []sink.Bytes{1 << 20, 64 << 10} {
		r := newRig(t)
		r.cfg.MaxSize = maxSize
		s := r.make(nil)
		r.write(s, r.batch(1))
		memory := slices.Clone(s.Remember())
		for range 70 {
			r.write(s, r.batch(10))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		late := r.open(memory)
		late.largestCut = 90_000
		r.write(late, r.batch(1))
		seen := 0
		for _, path := range append(r.asides(), r.cfg.Path) {
			seen += len(r.numbersIn(path))
		}
		all, err := newSeries(r.cfg.Path).list(osDisk{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range all {
			seen += len(r.numbersIn(f.path))
		}
		if seen != 702 {
			t.Errorf("%d readings are left of 702: %q", seen, r.files())
		}
	}
}

// Whatever stands at the path instead of what the sink wrote is kept.
func TestFileOfAnother(t *testing.T) {
	foreign := []byte("{\"id\":\"not ours, but it looks so\"}\n")
	for name, damage := range map[string]func(r *rig, path string){
		"replaced":  func(r *rig, path string) { r.put(path, bytes.Repeat(foreign, 100)) },
		"truncated": func(r *rig, path string) { r.put(path, r.read(path)[:500]) },
		"changed": func(r *rig, path string) {
			text := r.read(path)
			text[len(text)-10] ^= 1
			r.put(path, text)
		},
		"zeros": func(r *rig, path string) {
			text := r.read(path)
			r.put(path, append(text[:700], make([]byte, len(text)-700)...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			memories := r.history(1)
			damage(r, r.cfg.Path)
			before := r.read(r.cfg.Path)
			s := r.open(memories[0])
			r.made = 0
			r.write(s, r.batch(7))
			r.wantStored(7)
			asides := r.asides()
			if len(asides) != 1 || !bytes.Equal(r.read(asides[0]), before) {
				t.Errorf("set aside: %q", asides)
			}
			r.wantLog("it is set aside")
			r.wantLog("is not there any more")
		})
	}
}

func TestFileThatIsGone(t *testing.T) {
	for name, remove := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"moved":   func(path string) error { return os.Rename(path, path+".1") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			memories := r.history(1)
			if err := remove(r.cfg.Path); err != nil {
				t.Fatal(err)
			}
			s := r.open(memories[0])
			r.made = 0
			r.write(s, r.batch(4))
			r.wantStored(4)
			r.wantLog("is not there any more")

			// And while the sink has it open.
			if err := remove(r.cfg.Path); err != nil {
				t.Fatal(err)
			}
			r.made = 0
			r.write(s, r.batch(3))
			r.wantStored(3)
			if len(r.asides()) != 0 {
				t.Errorf("set aside: %q", r.asides())
			}
		})
	}
}

// A copy of the file is as good as the file, on another disk or restored together
// with the journal.
func TestFileThatWasCopied(t *testing.T) {
	r := newRig(t)
	memories := r.history(1)
	text := r.read(r.cfg.Path)
	if err := os.Remove(r.cfg.Path); err != nil {
		t.Fatal(err)
	}
	r.put(r.cfg.Path+"x", nil) // takes the inode
	r.put(r.cfg.Path, text)
	r.write(r.open(memories[0]), r.batch(10))
	r.wantStored(20)
}

func TestAnotherWritesToTheFile(t *testing.T) {
	r := newRig(t)
	s := r.open(nil)
	r.write(s, r.batch(3))
	f, err := os.OpenFile(r.cfg.Path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("{\"metrics\":{\"n\":4}}\n"); err != nil {
		t.Fatal(err)
	}
	r.made++
	r.write(s, r.batch(3))
	r.wantStored(7)
	r.wantLog("another has written to the file")
	if len(r.files()) != 2 {
		t.Errorf("files %q, want one rotated", r.files())
	}
}

// A rotated file that somebody has fetched cannot be brought back.
func TestRotatedFileIsGone(t *testing.T) {
	r := newRig(t)
	memories := r.history(3)
	if err := os.Remove(filepath.Join(filepath.Dir(r.cfg.Path), r.files()[0])); err != nil {
		t.Fatal(err)
	}
	r.made = 10
	s := r.open(memories[0])
	r.write(s, r.batch(40))
	if got := r.numbersIn(r.cfg.Path); len(got) != 40 || got[0] != 11 {
		t.Errorf("%d readings from %d in the file", len(got), got[0])
	}
	if len(r.asides()) != 1 {
		t.Errorf("files %q, want what was there set aside", r.files())
	}
	r.wantLog("is not there any more")
}

// A new sink on an old file goes on behind it; one that was killed before anything
// was remembered repeats nothing.
func TestNothingRemembered(t *testing.T) {
	for _, format := range []string{"json", "line"} {
		for _, cut := range []int{0, 1, 100, 1000, 1 << 20} {
			r := newRig(t)
			r.cfg.Format = format
			killed := r.make(nil)
			r.write(killed, r.batch(30))
			r.write(killed, r.batch(20))
			if err := killed.Close(); err != nil {
				t.Fatal(err)
			}
			text := r.read(r.cfg.Path)
			r.put(r.cfg.Path, text[:max(0, len(text)-cut)])
			r.made = 0
			again := r.open(nil)
			r.write(again, r.batch(60)) // what was written comes again, and more
			r.wantStored(60)
			r.write(again, r.batch(10))
			r.wantStored(70)
		}
	}
}

func TestNothingRememberedOfAForeignFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text  string
		aside bool
	}{
		"empty":         {"", false},
		"ours, earlier": {"{\"id\":\"1\",\"metrics\":{\"n\":1}}\n", false},
		"another's":     {"{\"metrics\":{\"n\":1}}\n", true},
		"text":          {"dear diary\n", true},
		"ours, torn":    {"{\"id\":\"1\",\"metrics\":{\"n\":1", true},
		"ours, begun":   {"{\"i", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if err := os.MkdirAll(filepath.Dir(r.cfg.Path), 0o700); err != nil {
				t.Fatal(err)
			}
			r.put(r.cfg.Path, []byte(tt.text))
			s := r.open(nil)
			r.made = 1
			r.write(s, r.batch(9))
			asides := r.asides()
			if aside := len(asides) == 1; aside != tt.aside || aside && string(r.read(asides[0])) != tt.text {
				t.Errorf("set aside: %q", asides)
			}
			if got := r.stored(); got[len(got)-1] != 10 || len(got) < 9 {
				t.Errorf("stored %v", got)
			}
		})
	}
}

func TestAnotherFormat(t *testing.T) {
	r := newRig(t)
	memories := r.history(2)
	r.cfg.Format = "line"
	r.made = 10
	s := r.open(memories[0])
	r.write(s, r.batch(10))
	r.wantStored(20)
	if len(r.files()) != 3 || len(r.asides()) != 1 {
		t.Errorf("files %q, want one of each format, and what was cut away", r.files())
	}
}

func TestAnotherPath(t *testing.T) {
	r := newRig(t)
	memories := r.history(1)
	r.cfg.Path += "x"
	s := r.open(memories[0])
	r.made = 0
	r.write(s, r.batch(5))
	r.wantStored(5)
	r.wantLog("has another path now")
}

func TestMemoryThatCannotBeRead(t *testing.T) {
	for _, memory := range []string{"x", `{"at":-1}`, `{"at":5,"tail":6}`, `{"at":1000000,"tail":5000}`} {
		r := newRig(t)
		s := r.open([]byte(memory))
		r.write(s, r.batch(5))
		r.wantStored(5)
		r.wantLog("cannot read what was remembered")
	}
}

func TestClockThatGoesBack(t *testing.T) {
	r := newRig(t)
	s := r.open(nil)
	s.cfg.MaxSize = 1000
	r.write(s, r.batch(5))
	s.place.Began = "20991231T235959.999Z" // the last rotation was in a future that the clock does not know
	for range 4 {
		r.write(s, r.batch(10))
	}
	r.wantStored(45)
	if names := r.files(); names[0] != "readings-21000101T000000.000Z.ndjson" || len(names) != 5 {
		t.Errorf("files %q", names)
	}
}
