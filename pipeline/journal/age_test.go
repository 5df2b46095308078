package journal_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"sluice/pipeline/journal"
)

// ageOptions are those of a journal on a box whose clock the test sets.
func ageOptions(t *testing.T, now *time.Time) journal.Options {
	o := calmOptions(t.TempDir())
	began := time.Now()
	set := *now
	o.Now = func() time.Time {
		if !set.Equal(*now) {
			began, set = time.Now(), *now
		}
		return set.Add(time.Since(began))
	}
	return o
}

// pass lets time go by while a reading a minute comes.
func pass(t *testing.T, j *journal.Journal, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Minute)
		put(t, j, 1, 40)
		commit(t, j)
		j.Tidy()
	}
}

func stats(t *testing.T, j *journal.Journal, name string) journal.CursorStats {
	t.Helper()
	balance(t, j)
	for _, c := range j.Stats().Cursors {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cursor %s", name)
	return journal.CursorStats{}
}

// byAge returns how many readings a cursor lost for their age, and fails if it lost
// any for another reason.
func byAge(t *testing.T, j *journal.Journal, name string) (readings uint64) {
	t.Helper()
	stats(t, j, name).Evicted.Each(func(reason string, n uint64) {
		switch {
		case reason == "age":
			readings = n
		case n > 0:
			t.Errorf("%d readings evicted for %s", n, reason)
		}
	})
	return readings
}

func TestClockThatJumpsExpiresNothing(t *testing.T) {
	for name, jump := range map[string]time.Duration{"fifty years ahead": 50 * 365 * 24 * time.Hour, "back to 1970": -56 * 365 * 24 * time.Hour, "an hour back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Unix(60, 0)
				if jump < 0 {
					now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
				}
				o := ageOptions(t, &now)
				o.MaxAge, o.Retain, o.Unclaimed = 10*time.Hour, 5*time.Hour, 10*time.Hour
				j := open(t, o)
				cursor(t, j, "hub", journal.Oldest)
				cursor(t, j, "gone", journal.Oldest)
				pass(t, j, 2*time.Hour)
				now = now.Add(jump)
				pass(t, j, 2*time.Hour)
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				now = now.Add(-jump) // and while the gateway is away
				j = open(t, o)
				defer j.Close()
				c := cursor(t, j, "hub", journal.Now)
				pass(t, j, time.Hour)
				want(t, read(t, c), 1, j.Stats().Next)
				if n := byAge(t, j, "hub") + byAge(t, j, "gone"); n > 0 {
					t.Errorf("%d readings are too old after five hours", n)
				}
			})
		})
	}
}

func TestMaxAgeCountsRunningTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Unix(60, 0)
		o := ageOptions(t, &now)
		o.MaxAge = 4 * time.Hour
		j := open(t, o)
		defer j.Close()
		c := cursor(t, j, "hub", journal.Oldest)
		pass(t, j, 4*time.Hour)
		if n := byAge(t, j, "hub"); n > 0 {
			t.Fatalf("%d readings evicted, none is older than max_age", n)
		}
		pass(t, j, 6*time.Hour)
		left := read(t, c)
		want(t, left, left[0], 601)
		if n := uint64(len(left)); n < 4*60 || n > 5*60+2 {
			t.Errorf("%d minutes are left, want 4 to 5 hours", n)
		}
		c.Ack(601, journal.Outcome{Delivered: uint64(len(left))})
		if s := stats(t, j, "hub"); byAge(t, j, "hub") != left[0]-1 || s.InJournal != 0 || s.Damaged != 0 {
			t.Errorf("%+v, want %d evicted for age", s, left[0]-1)
		}
		j.Tidy()
		if first := j.Stats().First; first < left[0] {
			t.Errorf("the log begins at %d, want %d: nobody wants what is in front", first, left[0])
		}
	})
}

func TestRetainKeepsWhatIsDeliveredForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Unix(60, 0)
		o := ageOptions(t, &now)
		o.Retain = 2 * time.Hour
		j := open(t, o)
		defer j.Close()
		c := cursor(t, j, "hub", journal.Oldest)
		pass(t, j, 2*time.Hour)
		want(t, read(t, c), 1, 121)
		c.Ack(121, journal.Outcome{Delivered: 120})
		j.Tidy()
		if n, err := j.Replay("hub", 1); err != nil || n != 120 || !c.Replayed() {
			t.Fatalf("Replay = %d, %v, want all 120", n, err)
		}
		want(t, read(t, c), 1, 121)
		c.Ack(121, journal.Outcome{Delivered: 120})
		pass(t, j, 4*time.Hour)
		rest := read(t, c)
		want(t, rest, 121, 361)
		c.Ack(361, journal.Outcome{Delivered: 240})
		j.Tidy()
		if first := j.Stats().First; first > 361-120 || first < 361-120-32 {
			t.Errorf("the log begins at %d, want two hours to two and a half before 361", first)
		}
		if n := byAge(t, j, "hub"); n > 0 {
			t.Errorf("%d readings evicted", n)
		}
	})
}

func TestUnclaimedCursorsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Unix(60, 0)
		o := ageOptions(t, &now)
		o.Unclaimed = 2 * time.Hour
		j := open(t, o)
		cursor(t, j, "hub", journal.Oldest)
		cursor(t, j, "gone", journal.Oldest)
		pass(t, j, time.Hour)
		j.Close()
		j = open(t, o)
		defer j.Close()
		c := cursor(t, j, "hub", journal.Now)
		pass(t, j, 4*time.Hour)
		if n := byAge(t, j, "hub"); n > 0 {
			t.Errorf("%d readings of a sink that is configured are too old", n)
		}
		if n, all := byAge(t, j, "gone"), uint64(300); n < all-151 || n > all-120 {
			t.Errorf("%d readings of %d are too old for a cursor without a sink, want all but those of two hours", n, all)
		}
		want(t, read(t, c), 1, 301)
	})
}

func TestAgeGoesOnInTheSameBoot(t *testing.T) {
	cases := map[string]struct {
		write func(o journal.Options)
		away  uint64 // minutes that count
	}{
		"same boot":       {func(o journal.Options) { journal.WriteClock(o.Dir, time.Hour, true, 10*time.Hour) }, 600},
		"another boot":    {func(o journal.Options) { journal.WriteClock(o.Dir, time.Hour, false, 10*time.Hour) }, 0},
		"boot time ahead": {func(o journal.Options) { journal.WriteClock(o.Dir, time.Hour, true, -10*time.Hour) }, 0},
		"clock before":    {func(o journal.Options) { journal.WriteClock(o.Dir, time.Minute, false, 0) }, 0},
		"clock missing":   {func(o journal.Options) { os.Remove(filepath.Join(o.Dir, "journal", "clock")) }, 0},
		"clock damaged": {func(o journal.Options) {
			if err := os.WriteFile(filepath.Join(o.Dir, "journal", "clock"), make([]byte, 1024), 0o640); err != nil {
				panic(err)
			}
		}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Unix(60, 0)
				o := ageOptions(t, &now)
				o.MaxAge = 4 * time.Hour
				j := open(t, o)
				cursor(t, j, "hub", journal.Oldest)
				pass(t, j, time.Hour)
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				c.write(o)
				j = open(t, o)
				defer j.Close()
				cursor(t, j, "hub", journal.Now)
				pass(t, j, 2*time.Minute) // a segment behind
				// The last segment is taken to be as young as the one behind it.
				if n, old := byAge(t, j, "hub"), uint64(50); (n > 0) != (c.away > 4*60) || n > 0 && n != old {
					t.Errorf("%d readings are too old", n)
				}
				pass(t, j, 6*time.Hour)
				if n := byAge(t, j, "hub"); n < 60 {
					t.Errorf("%d readings are too old after six hours more, want the first hour at least", n)
				}
			})
		})
	}
}

func TestTendExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Unix(60, 0)
		o := ageOptions(t, &now)
		o.MaxAge = 4 * time.Minute
		j := open(t, o)
		defer j.Close()
		cursor(t, j, "hub", journal.Oldest)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{}) // closed when Tend has ended
		go func() {
			defer close(ended)
			j.Tend(ctx)
		}()
		defer func() {
			cancel()
			<-ended
		}()
		for range 20 {
			time.Sleep(time.Minute)
			put(t, j, 1, 40)
			commit(t, j)
		}
		time.Sleep(time.Second)
		if n := byAge(t, j, "hub"); n < 14 || n > 16 {
			t.Errorf("%d of 20 readings are too old, want all but those of four to five minutes", n)
		}
	})
}
