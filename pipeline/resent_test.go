package pipeline

import (
	"slices"
	"sync"
	"testing"

	"sluice/pipeline/journal"
	"sluice/protocol"
)

func TestAcknowledgedIDMayMeanAnotherMessageAtOnce(t *testing.T) {
	m := newMemory()
	p := start(t, config(t.TempDir()), nil, delivered("hub", m))
	done := make(chan error, 1)
	in := p.Intake("floor")
	in.Emit(batch(origin(9, false), done, 1))
	<-done
	in.Acknowledged(origin(9, false))
	in.Emit(batch(origin(9, true), done, 2)) // of the same content
	<-done
	p.stop()
	if want := []float64{1, 2}; !slices.Equal(m.values(), want) {
		t.Fatalf("sink holds %v, want %v", m.values(), want)
	}
}

func TestIDInUseAgainOutlivesTheLateAcknowledgement(t *testing.T) {
	r := newResent()
	r.keep(origin(9, false)) // acknowledged, which shows only later
	r.keep(origin(9, false)) // another message of the same content
	r.acknowledged(origin(9, false))
	if !r.has(origin(9, true)) {
		t.Fatal("the message that is open was forgotten with the one before")
	}
	r.acknowledged(origin(9, false))
	if r.has(origin(9, true)) || len(r.open()) > 0 {
		t.Fatal("an acknowledged message is still open")
	}
}

// TestSessionsEndWhileTheDiskIsBusy loses the session twice before the committer
// can look: messages of each session are told apart.
func TestSessionsEndWhileTheDiskIsBusy(t *testing.T) {
	for _, durability := range []string{"always", "interval"} {
		disk := &busyDisk{FS: journal.OS{}, waiting: make(chan struct{}, 1)}
		c := config(t.TempDir())
		c.Durability = durability
		m := newMemory()
		p := start(t, c, disk, delivered("hub", m))
		done := make(chan error, 10)
		in := p.Intake("floor")
		in.Emit(batch(origin(1, false), done, 1))
		<-done
		in.Acknowledged(origin(1, false))
		in.Emit(batch(origin(1, false), done, 2))
		<-done
		disk.gate.Lock()
		release := sync.OnceFunc(disk.gate.Unlock)
		t.Cleanup(release)
		in.Emit(batch(protocol.Origin{}, done, 3))
		<-disk.waiting
		in.SessionLost("floor")
		in.Emit(batch(origin(1, true), done, 4)) // of a new session, never seen
		in.SessionLost("floor")
		in.Emit(batch(origin(1, true), done, 5)) // of another one
		in.Emit(batch(origin(1, true), done, 5)) // sent again
		release()
		for range 4 {
			<-done
		}
		p.stop()
		if want := []float64{1, 2, 3, 4, 5}; !slices.Equal(m.values(), want) {
			t.Fatalf("%s: sink holds %v, want %v", durability, m.values(), want)
		}
	}
}

func TestStartsWithoutAMessageForgetNothing(t *testing.T) {
	c := config(t.TempDir())
	m := newMemory()
	done := make(chan error, 1)
	p := start(t, c, nil, delivered("hub", m))
	p.Intake("floor").Emit(batch(origin(9, false), done, 0))
	<-done
	m.wait(t, 1)
	p.stop()
	for range 3 {
		start(t, c, nil, delivered("hub", m)).stop()
	}
	p = start(t, c, nil, delivered("hub", m))
	p.Intake("floor").Emit(batch(origin(9, true), done, 0))
	<-done
	p.stop()
	if n := len(m.values()); n != 1 {
		t.Fatalf("sink holds the message %d times", n)
	}
}

// TestRecalledMessagesAreSettledOnce holds that what an earlier process was not sure
// of is told to the driver once, and that a message which it settles may come again
// as a new one of the same content.
func TestRecalledMessagesAreSettledOnce(t *testing.T) {
	c := config(t.TempDir())
	m := newMemory()
	done := make(chan error, 1)
	for round, settled := range []bool{false, true, false} {
		p := start(t, c, nil, delivered("hub", m))
		in := p.Intake("floor")
		recalled := in.Recalled()
		if want := min(round, 1); len(recalled) != want || len(in.Recalled()) != 0 {
			t.Fatalf("start %d: recalls %v, want %d messages, once", round, recalled, want)
		}
		if settled {
			in.Acknowledged(recalled[0])
		}
		if !in.Emit(batch(origin(7, true), done, float64(round))) || <-done != nil {
			t.Fatal("not accepted")
		}
		p.stop()
		want := uint64(0)
		if round > 0 && !settled {
			want = 1
		}
		if got := p.Stats().Intakes[0].Duplicate; got != want {
			t.Errorf("start %d: %d duplicates, want %d", round, got, want)
		}
	}
	if got := m.values(); len(got) != 2 {
		t.Errorf("sink has %v", got)
	}
}
