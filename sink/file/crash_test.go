package file

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"sluice/sink"
)

var errCrash = errors.New("the process is dead")

// failingDisk is the real disk under a process that is killed after so many steps,
// and under one that is full now and then. The step in which death comes happens,
// does not happen, or happens by half.
type failingDisk struct {
	osDisk
	mu     sync.Mutex // guards what follows
	random *rand.Rand
	steps  int     // until death; < 0: never
	full   float64 // the share of writes that find no room
	synced bool    // nothing was written since the last Sync
}

// step reports whether to do the next step and whether it fails.
func (d *failingDisk) step() (do bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.steps < 0:
		return true, nil
	case d.steps == 0:
		return false, errCrash
	}
	if d.steps--; d.steps == 0 {
		return d.random.IntN(2) == 0, errCrash
	}
	return true, nil
}

func (d *failingDisk) dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps == 0
}

func (d *failingDisk) Rename(from, to string) error {
	do, err := d.step()
	if do {
		return errors.Join(err, d.osDisk.Rename(from, to))
	}
	return err
}

func (d *failingDisk) Remove(name string) error {
	do, err := d.step()
	if do {
		return errors.Join(err, d.osDisk.Remove(name))
	}
	return err
}

// SyncDir does nothing: the system survives the process.
func (d *failingDisk) SyncDir(string) error {
	_, err := d.step()
	return err
}

func (d *failingDisk) Create(name string) (handle, error) {
	do, err := d.step()
	if !do {
		return nil, err
	}
	f, createErr := d.osDisk.Create(name)
	if err := errors.Join(err, createErr); err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return &failingFile{f, d}, nil
}

func (d *failingDisk) Append(name string) (handle, error) {
	f, err := d.osDisk.Append(name)
	if err != nil {
		return nil, err
	}
	return &failingFile{f, d}, nil
}

type failingFile struct {
	handle
	disk *failingDisk
}

func (f *failingFile) Write(p []byte) (int, error) {
	do, err := f.disk.step()
	f.disk.mu.Lock()
	part, full := f.disk.random.IntN(len(p)+1), f.disk.random.Float64() < f.disk.full
	f.disk.synced = false
	f.disk.mu.Unlock()
	switch {
	case err == nil && full:
		n, _ := f.handle.Write(p[:part])
		return n, syscall.ENOSPC
	case err == nil:
		return f.handle.Write(p)
	case do:
		n, _ := f.handle.Write(p[:part])
		return n, err
	}
	return 0, err
}

func (f *failingFile) Truncate(size int64) error {
	do, err := f.disk.step()
	f.disk.mu.Lock()
	refuse := f.disk.random.Float64() < f.disk.full/2
	f.disk.mu.Unlock()
	if refuse {
		return errors.Join(err, syscall.EIO)
	}
	if do {
		return errors.Join(err, f.handle.Truncate(size))
	}
	return err
}

func (f *failingFile) Sync() error {
	_, err := f.disk.step()
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.synced = err == nil; err == nil && f.disk.random.Float64() < f.disk.full/2 {
		return syscall.EIO
	}
	return err
}

// plant is a gateway with 300 readings for the sink: it is killed again and again,
// and remembers the sink's place less often than the sink writes.
type plant struct {
	*rig
	random *rand.Rand
	disk   *failingDisk
	total  int
	saved  struct {
		memory []byte
		next   int // reading
	}
}

// life delivers until the process is dead or everything is written.
func (p *plant) life() bool {
	readings := (&rig{t: p.t}).batch(p.total)
	s := p.make(p.saved.memory)
	s.cfg.MaxSize = sink.Bytes(1000 + p.random.IntN(3000))
	defer s.Close()
	next, largest := p.saved.next, 1+p.random.IntN(30)
	for next < p.total {
		n := min(1+p.random.IntN(largest), p.total-next)
		if p.saved.memory == nil {
			n = 30 // what a dead gateway wrote before it remembered anything comes again as one batch
		}
		if p.random.IntN(10) == 0 {
			_ = s.Connect(p.t.Context())
		}
		if err := s.Write(p.t.Context(), readings[next:next+n]); err != nil {
			if p.disk.dead() {
				return false
			}
			continue
		}
		next += n
		if p.disk.dead() {
			return false
		}
		if p.saved.memory == nil || p.random.IntN(3) == 0 {
			p.saved.memory, p.saved.next = slices.Clone(s.Remember()), next
		}
	}
	return true
}

// Killed at any step, and with a disk that is full now and then, each reading is in
// the files once, and in order.
func TestExactlyOnceOverCrashes(t *testing.T) {
	runs := 40
	if testing.Short() {
		runs = 20
	}
	for seed := range uint64(runs) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			p := &plant{rig: newRig(t), random: random, total: 300}
			p.cfg.Keep = Keep{}
			p.cfg.Gzip = random.IntN(2) == 0
			if random.IntN(4) == 0 {
				p.cfg.Format = "line"
			}
			for lives := 0; ; lives++ {
				p.disk = &failingDisk{random: rand.New(rand.NewPCG(seed, random.Uint64())), steps: 1 + random.IntN(60)}
				if random.IntN(2) == 0 {
					p.disk.full = 0.2
				}
				if lives > 12 {
					p.disk.steps = -1
				}
				p.rig.disk = p.disk
				if p.life() {
					break
				}
			}
			p.wantStored(p.total)
			p.rig.disk = osDisk{}
			if err := p.open(p.saved.memory).attic.tidy(t.Context()); err != nil {
				t.Error(err)
			}
			p.wantStored(p.total)
			for _, name := range p.files() {
				if stamp, _, ok := newSeries(p.cfg.Path).stampOf(name); name != "readings.ndjson" && !ok {
					t.Errorf("%s is left behind (%s)", name, stamp)
				}
			}
			if t.Failed() {
				t.Log(p.log.String(), p.files())
			}
		})
	}
}

func TestWriteSyncs(t *testing.T) {
	for _, sync := range []bool{true, false} {
		r := newRig(t)
		d := &failingDisk{random: rand.New(rand.NewPCG(1, 1)), steps: -1}
		r.disk, r.cfg.Sync = d, sync
		s := r.open(nil)
		for range 3 {
			r.write(s, r.batch(5))
			if d.synced != sync {
				t.Errorf("sync: %v, but synced is %v", sync, d.synced)
			}
		}
	}
}

// A disk that is full leaves no half of a line, and takes all when it has room.
func TestFullDisk(t *testing.T) {
	r := newRig(t)
	d := &failingDisk{random: rand.New(rand.NewPCG(1, 1)), steps: -1, full: 1}
	r.disk = d
	s := r.open(nil)
	batch := r.batch(50)
	for range 5 {
		if err := s.Write(t.Context(), batch); !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) || sink.IsPermanent(err) {
			t.Fatalf("Write = %v, want the disk's error", err)
		}
	}
	d.full = 0
	r.write(s, batch)
	r.wantStored(50)
	if _, err := os.Stat(r.cfg.Path); err != nil {
		t.Error(err)
	}
}
