package nats

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"sluice/protocol"
)

func TestWindowTakesOneAnswerEach(t *testing.T) {
	var w window
	w.reset(10, 4)
	for i := range 3 {
		w.send(i)
	}
	for _, step := range []struct {
		number uint64
		ok     bool
	}{{12, true}, {9, false}, {13, false}, {14, false}, {12, false}, {10, true}} {
		i, ok := w.answered(step.number)
		if ok != step.ok {
			t.Errorf("answered(%d) = %v, want %v", step.number, ok, step.ok)
		}
		if ok {
			w.store(i, 100+step.number)
		}
	}
	if w.open != 1 || w.high != 112 {
		t.Errorf("%d open, want 1; the last is %d, want 112", w.open, w.high)
	}
	w.reset(0, 6)
	for _, i := range []int{5, 1, 3} {
		w.reject(i, errTooLong)
	}
	var order []int
	for _, r := range w.rejected {
		order = append(order, r.Index)
	}
	if !slices.Equal(order, []int{1, 3, 5}) {
		t.Errorf("rejected in the order %v", order)
	}
}

func TestIDSet(t *testing.T) {
	var s idSet
	model := map[protocol.ID]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		id := protocol.ID{Epoch: random.Uint64N(3), Seq: random.Uint64N(500)}
		switch {
		case id == protocol.ID{}:
		case random.IntN(2) == 0:
			s.add(id)
			model[id] = true
		default:
			if s.remove(id) != model[id] {
				t.Fatalf("remove(%v) = %v", id, !model[id])
			}
			delete(model, id)
		}
		if s.has(id) != model[id] || s.n != len(model) {
			t.Fatalf("has(%v) = %v, %d ids, want %d", id, !model[id], s.n, len(model))
		}
	}
}

func TestIDSetIsBounded(t *testing.T) {
	row := idSet{words: map[wordKey]uint64{{epoch: 1}: 1}, n: mostIDs}
	if row.add(protocol.ID{Epoch: 1, Seq: 1}) || !row.add(protocol.ID{Epoch: 1}) {
		t.Error("a full set takes an id, or does not know its own")
	}
	var scattered idSet
	n := 0
	for ; scattered.add(protocol.ID{Epoch: 1, Seq: uint64(n) * 64}); n++ {
	}
	if n != mostWords {
		t.Errorf("took %d scattered ids, want %d", n, mostWords)
	}
}

func TestPlaceRemembersItself(t *testing.T) {
	p := place{stream: identity{1, 2, 3}, scope: 7, mark: 1 << 60}
	if got, err := decodePlace(p.encode()); err != nil || got != p || len(p.encode()) > 400 {
		t.Errorf("read back %+v (%v), want %+v", got, err, p)
	}
	for _, memory := range [][]byte{{1}, append([]byte{2}, p.encode()[1:]...), make([]byte, 400)} {
		if _, err := decodePlace(memory); err == nil {
			t.Errorf("decodePlace(%x) = nil", memory)
		}
	}
}

// some returns n readings from this sequence on.
func some(first, n int) []protocol.Reading {
	all := make([]protocol.Reading, n)
	for i := range all {
		all[i].ID = protocol.ID{Epoch: 1, Seq: uint64(first + i)}
	}
	return all
}

// known returns a history of a stream that was read up to 100.
func known() *history {
	h := newHistory(1)
	h.recall(place{stream: identity{1}, scope: 1, mark: 100})
	h.readTo(100, nil)
	return &h
}

func TestMarkWaitsForWhatIsInDoubt(t *testing.T) {
	h := known()
	var w window
	w.reset(0, 10)
	for i := range 10 {
		w.send(i)
	}
	w.store(2, 103)
	w.refuse(4, isRefused, errors.New("full"))
	batch := some(1, 10)
	h.fail(batch, &w, time.Now(), time.Now())
	if h.stored.n != 1 || h.unsure.n != 8 {
		t.Fatalf("%d stored, %d unsure, want 1 and 8", h.stored.n, h.unsure.n)
	}
	h.confirm(some(50, 10), 150)
	if h.place.mark != 100 || h.seen != 100 {
		t.Errorf("the mark went to %d, read to %d, past readings in doubt", h.place.mark, h.seen)
	}
	h.confirm(batch, 160)
	if h.place.mark != 160 || h.stored.n+h.unsure.n != 0 {
		t.Errorf("the mark is at %d, %d in doubt", h.place.mark, h.stored.n+h.unsure.n)
	}
}

// A server that lost power may have forgotten what it acknowledged last.
func TestStreamThatLostItsEnd(t *testing.T) {
	h := known()
	info := &jetstream.StreamInfo{Config: jetstream.StreamConfig{Name: "READINGS"}, State: jetstream.StreamState{LastSeq: 101}}
	h.place.stream = identityOf(info)
	var w window
	w.reset(0, 2)
	w.send(0)
	w.store(0, 102)
	w.send(1)
	h.fail(some(1, 2), &w, time.Now(), time.Now())
	h.recognise(info)
	if h.stored.n != 0 || h.unsure.n != 2 || !h.mustRead(time.Hour) {
		t.Errorf("%d stored, %d unsure, want 0 and 2", h.stored.n, h.unsure.n)
	}
	h.found(some(1, 1)[0].ID, 101)
	if n := h.readTo(101, some(1, 2)); n != 1 || h.place.mark != 100 {
		t.Errorf("%d suspects, mark %d, want 1 and 100", n, h.place.mark)
	}
}

func TestReadingsThatNeverComeAreForgotten(t *testing.T) {
	h := known()
	h.found(protocol.ID{Epoch: 1, Seq: 7}, 120)
	seq, batch := uint64(120), some(1000, 10_000)
	for n := 0; n < forgottenAfter; n += 10_000 {
		seq += 10_000
		h.confirm(batch, seq)
		if passed, want := h.place.mark == seq, n+10_000 >= heldFor; passed != want {
			t.Fatalf("after %d readings the mark is at %d of %d", n+10_000, h.place.mark, seq)
		}
	}
	if h.stored.n != 0 {
		t.Error("the id is still there")
	}
}

func TestTooManyIDsAreCounted(t *testing.T) {
	h := known()
	h.stored.n, h.unsure.n = mostIDs, mostIDs
	var w window
	w.reset(0, 4)
	w.send(0)
	w.send(1)
	w.store(1, 5)
	if n := h.fail(some(1, 4), &w, time.Now(), time.Now()); n != 2 {
		t.Errorf("no room for %d, want 2", n)
	}
	if h.found(protocol.ID{Epoch: 1, Seq: 1}, 101) {
		t.Error("found = true in a full set")
	}
}

func TestSuspects(t *testing.T) {
	old, young := some(1, 3), some(4, 2)
	for i := range old {
		old[i].ReceivedTime = 1000
	}
	for i := range young {
		young[i].ReceivedTime = 3000
	}
	batch := slices.Concat(old, young)
	restarted := func() *history {
		h := newHistory(1)
		h.recall(place{stream: identity{1}, mark: 100})
		return &h
	}
	state := &jetstream.StreamState{Msgs: 5, FirstSeq: 200, LastSeq: 210, FirstTime: time.Unix(0, 2000)}
	h := restarted()
	h.readFrom(state)
	h.found(old[0].ID, 201)
	if n := h.readTo(210, batch); n != 2 {
		t.Errorf("%d suspects after a restart, want the two received before the stream begins", n)
	}
	h = restarted()
	h.readFrom(&jetstream.StreamState{FirstSeq: 211, LastSeq: 210})
	if n := h.readTo(210, batch); n != 5 {
		t.Errorf("%d suspects after a purge, want 5", n)
	}
	h = known()
	h.unsure.add(protocol.ID{Epoch: 1, Seq: 9})
	h.since = time.Unix(0, 5000)
	h.readFrom(state)
	if n := h.readTo(210, batch); n != 0 {
		t.Errorf("%d suspects though the stream holds all since the publish", n)
	}
}
