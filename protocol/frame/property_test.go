package frame

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// each runs a test for every kind, with a source of chance that is the same in
// every run: a checksum of 16 bits is right by chance too often for another.
func each(t *testing.T, rounds int, test func(t *testing.T, s *sample, rng *rand.Rand)) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			for round := range rounds {
				test(t, &s, rand.New(rand.NewPCG(uint64(round), 1)))
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, rapid.MakeCheck(func(rt *rapid.T) {
			payload := s.payload(rapid.SliceOf(rapid.Byte()).Draw(rt, "body"))
			if got, want := Append(s.config, nil, payload), s.encode(nil, payload); !bytes.Equal(got, want) {
				rt.Fatalf("Append gives %q, want %q", got, want)
			}
			got, r := listen(t, s.config, 1<<20, piece{s.encode(nil, payload), true})
			if len(got) != 1 || got[0] != string(payload) {
				rt.Fatalf("%x came back as %x", payload, got)
			}
			if stats := r.Stats(); stats != (Stats{Frames: 1}) {
				rt.Fatalf("%+v", stats)
			}
		}))
	}
}

func TestSplitAnywhere(t *testing.T) {
	each(t, 1, func(t *testing.T, s *sample, rng *rand.Rand) {
		made := s.newStream(rng, 3, s.noise != nil)
		var whole []byte
		for _, p := range made.pieces {
			whole = append(whole, p.bytes...)
		}
		if s.idle {
			t.Skip("the line's silence cuts this stream; see TestChunks")
		}
		want, r := listen(t, s.config, len(whole), piece{whole, true})
		if !slices.Equal(want, made.want) {
			t.Fatalf("got %q, want %q", want, made.want)
		}
		for i := range whole {
			got, split := listen(t, s.config, len(whole), piece{whole[:i], false}, piece{whole[i:], true})
			if !slices.Equal(got, want) || split.Stats() != r.Stats() {
				t.Fatalf("cut at %d: got %q %+v,\nwant %q %+v", i, got, split.Stats(), want, r.Stats())
			}
		}
	})
}

func TestChunks(t *testing.T) {
	each(t, 20, func(t *testing.T, s *sample, rng *rand.Rand) {
		made := s.newStream(rng, 4, false)
		made.pieces = append(made.pieces, quiet)
		for _, step := range []int{1, 2, 3, 7, 64, 1 << 20} {
			got, r := listen(t, s.config, step, made.pieces...)
			if !slices.Equal(got, made.want) || r.Stats() != (Stats{Frames: 4}) {
				t.Fatalf("in steps of %d: got %q %+v,\nwant %q", step, got, r.Stats(), made.want)
			}
		}
	})
}

func TestNoise(t *testing.T) {
	each(t, 80, func(t *testing.T, s *sample, rng *rand.Rand) {
		if s.noise == nil {
			return
		}
		made := s.newStream(rng, 4, true)
		made.pieces = append(made.pieces, quiet)
		var fed, delivered int64
		for i, p := range made.pieces {
			fed += int64(len(p.bytes))
			if i%2 == 1 {
				delivered += int64(len(p.bytes))
			}
		}
		var before Stats
		for _, step := range []int{1, 5, 1 << 20} {
			got, r := listen(t, s.config, step, made.pieces...)
			if got = withoutAcks(got); !slices.Equal(got, made.want) {
				t.Fatalf("in steps of %d: got %q %+v,\nwant %q\nof %v", step, got, r.Stats(), made.want, made.pieces)
			}
			stats := r.Stats()
			if step > 1 && stats != before {
				t.Fatalf("in steps of %d: %+v, before %+v", step, stats, before)
			}
			// The end of a frame that may begin another counts when it does not.
			if before = stats; stats.Skipped > fed-delivered+int64(len(made.want)) {
				t.Fatalf("skipped %d bytes of %d", stats.Skipped, fed-delivered)
			}
		}
	})
}

func TestDamageCostsOneFrame(t *testing.T) {
	each(t, 200, func(t *testing.T, s *sample, rng *rand.Rand) {
		if s.shared < 0 {
			return
		}
		made := s.newStream(rng, 5, false)
		hit := rng.IntN(len(made.pieces))
		p := made.pieces[hit].bytes
		at := rng.IntN(len(p) - s.shared)
		was := p[at]
		for p[at] == was {
			p[at] = byte(rng.Uint32())
			if rng.IntN(3) == 0 {
				p[at] = p[rng.IntN(len(p))]
			}
		}
		made.pieces = append(made.pieces, quiet)
		got, r := listen(t, s.config, 1+rng.IntN(100), made.pieces...)
		got = withoutAcks(got)
		left := slices.Delete(slices.Clone(made.want), hit, hit+1)
		if !slices.Equal(got, left) && !slices.Equal(got, made.want) {
			t.Fatalf("byte %d of frame %d was %#x and is %#x:\n got %q %+v\nwant %q\nof %v",
				at, hit, was, p[at], got, r.Stats(), left, made.pieces)
		}
		if stats := r.Stats(); len(got) == len(left) && stats.Skipped == 0 {
			t.Fatalf("a frame was lost, but %+v", stats)
		}
	})
}

// withoutAcks drops the acknowledgements of M-Bus, which noise may hold.
func withoutAcks(frames []string) []string {
	return slices.DeleteFunc(frames, func(f string) bool { return f == "\xe5" })
}

func TestNeverGrows(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			r, err := New(s.config)
			if err != nil {
				t.Fatal(err)
			}
			frame := s.encode(nil, s.payload(bytes.Repeat([]byte("x"), 20)))
			rng := rand.New(rand.NewPCG(1, 2))
			for _, garbage := range [][]byte{{0}, {0xff}, frame[:1], frame[:len(frame)/2], frame[:len(frame)-1], junk(rng, 5000)} {
				for range 1 + 100_000/len(garbage) {
					r.Feed(garbage)
					for _, ok := r.Next(); ok; _, ok = r.Next() {
					}
				}
				if n := memory(r); n > 4*defaultMax {
					t.Fatalf("holds %d bytes", n)
				}
			}
		})
	}
}

// memory returns how many bytes a reader holds.
func memory(r Reader) int {
	switch r := r.(type) {
	case *lineReader:
		return cap(r.partial)
	case *scanner:
		n := cap(r.held)
		switch g := r.grammar.(type) {
		case *terminated:
			n += cap(g.out)
		case *delimited:
			n += cap(g.out)
		case *sml:
			n += cap(g.out)
		case *vedirect:
			n += cap(g.out)
		}
		return n
	}
	panic("an unknown reader")
}
