package sinktest

import (
	"errors"
	"slices"
	"testing"

	"sluice/sink"
)

// WantRejected wants err to be a PartialError that rejects these indexes for good
// and nothing else.
func WantRejected(t testing.TB, err error, want ...int) {
	t.Helper()
	var partial *sink.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("Write = %v, want a PartialError", err)
	}
	var got []int
	for _, r := range partial.Rejected {
		if !sink.IsPermanent(r.Err) {
			t.Errorf("rejection of %d is not permanent: %v", r.Index, r.Err)
		}
		got = append(got, r.Index)
	}
	if !slices.Equal(got, want) {
		t.Errorf("rejected %v, want %v", got, want)
	}
}
