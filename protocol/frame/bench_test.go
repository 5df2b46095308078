package frame

import (
	"bytes"
	"slices"
	"testing"
)

// steady returns a reader and a stream of frames as a device sends them: no
// noise, cut anywhere.
func steady(t testing.TB, s *sample) (r Reader, frames [][]byte) {
	t.Helper()
	r, err := New(s.config)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		body := bytes.Repeat([]byte{'a' + byte(i), 0, 0x1b, 0xc0, 0x7d}, 5+i)
		frames = append(frames, s.encode(nil, s.payload(body)))
	}
	return r, frames
}

func TestReadersAllocateNothing(t *testing.T) {
	for _, s := range samples() {
		r, frames := steady(t, &s)
		n := 0
		allocs := testing.AllocsPerRun(50, func() {
			for _, f := range frames {
				for chunk := range slices.Chunk(f, 23) {
					r.Feed(chunk)
					for _, ok := r.Next(); ok; _, ok = r.Next() {
						n++
					}
				}
				if s.idle {
					r.Idle()
					for _, ok := r.Next(); ok; _, ok = r.Next() {
						n++
					}
				}
			}
		})
		if allocs != 0 || n < 50*len(frames) {
			t.Errorf("%s: %v allocations for %d frames, %d in all, want 0", s.name, allocs, len(frames), n)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for _, s := range samples() {
		b.Run(s.name, func(b *testing.B) {
			r, frames := steady(b, &s)
			stream := bytes.Repeat(bytes.Join(frames, nil), 10)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for chunk := range slices.Chunk(stream, 4096) {
					r.Feed(chunk)
					for _, ok := r.Next(); ok; _, ok = r.Next() {
					}
					if s.idle {
						r.Idle()
						for _, ok := r.Next(); ok; _, ok = r.Next() {
						}
					}
				}
			}
		})
	}
}
