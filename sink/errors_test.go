package sink_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"sluice/sink"
)

func TestErrorsKeepTheirMeaningWhenWrapped(t *testing.T) {
	permanent := fmt.Errorf("write: %w", sink.Permanent(io.ErrShortWrite))
	if !sink.IsPermanent(permanent) || !errors.Is(permanent, io.ErrShortWrite) {
		t.Errorf("%v lost its mark or its cause", permanent)
	}
	later := fmt.Errorf("write: %w", sink.RetryAfter(io.ErrShortWrite, time.Minute))
	if sink.RetryWait(later) != time.Minute || !errors.Is(later, io.ErrShortWrite) {
		t.Errorf("%v lost its wait or its cause", later)
	}
	if sink.IsPermanent(later) || sink.RetryWait(permanent) != 0 {
		t.Error("one mark reads as the other")
	}
	if permanent.Error() != "write: short write" || later.Error() != "write: short write" {
		t.Errorf("the marks show in the text: %q, %q", permanent, later)
	}
}

func TestNilErrorsStayNil(t *testing.T) {
	if sink.Permanent(nil) != nil || sink.RetryAfter(nil, time.Second) != nil {
		t.Error("a mark made an error out of nil")
	}
	if sink.IsPermanent(nil) || sink.RetryWait(nil) != 0 {
		t.Error("nil carries a mark")
	}
}

func TestPartialErrorNamesTheFirst(t *testing.T) {
	err := error(&sink.PartialError{Rejected: []sink.Rejection{
		{Index: 3, Err: sink.Permanent(errors.New("too large"))}, {Index: 5, Err: io.EOF},
	}})
	if got, want := err.Error(), "2 readings rejected, the first: too large"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	var partial *sink.PartialError
	if !errors.As(fmt.Errorf("write: %w", err), &partial) || len(partial.Rejected) != 2 {
		t.Error("a wrapped PartialError is not found")
	}
	if sink.IsPermanent(err) {
		t.Error("a PartialError reads as permanent for the whole batch")
	}
}
