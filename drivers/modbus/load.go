package modbus

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Share is the part of a bus's work that is done equally often and equally long
// for some of its units.
type Share struct {
	Units int
	Items int           // registers and bits that a unit is asked for, those among them that nobody wants
	Takes time.Duration // that the bus is busy with all of these units once
	Every time.Duration // how often they are asked
}

// Shares returns what the bus of c has to do for its devices, the heaviest
// share first. c and the devices are valid.
func Shares(c Config, devices []Device) ([]Share, error) {
	type kind struct {
		items int
		every time.Duration
	}
	shares, timing := map[kind]*Share{}, c.Timing()
	for _, d := range devices {
		p, err := newPlan(d.Decode, c.limits())
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", d.Name, err)
		}
		for i := range p.groups {
			g := &p.groups[i]
			k := kind{g.items(), g.every}
			if shares[k] == nil {
				shares[k] = &Share{Items: k.items, Every: k.every}
			}
			shares[k].Units++
			shares[k].Takes += g.takes(timing)
		}
	}
	list := make([]Share, 0, len(shares))
	for s := range maps.Values(shares) {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Load(), a.Load()), cmp.Compare(a.Every, b.Every), cmp.Compare(a.Items, b.Items))
	})
	return list, nil
}

// items returns how many registers and bits are read.
func (g *group) items() int {
	n := 0
	for i := range g.reads {
		n += int(g.reads[i].request.Quantity)
	}
	return n
}

// takes returns how long the bus is busy with the group.
func (g *group) takes(t Timing) time.Duration {
	var sum time.Duration
	for i := range g.reads {
		sum += t.Transaction(&g.reads[i].request)
	}
	return sum
}

// Load returns which part of its time a bus is busy with the share, 1 being all
// of it.
func (s Share) Load() float64 { return s.Takes.Seconds() / s.Every.Seconds() }

// Load returns which part of its time the bus of c is busy with its devices, 1
// being all of it. What silent units and commands cost comes on top.
func Load(c Config, devices []Device) (float64, error) {
	shares, err := Shares(c, devices)
	sum := 0.0
	for _, s := range shares {
		sum += s.Load()
	}
	return sum, err
}

// Fits returns an error with the arithmetic when the devices cannot be asked as
// often as their profiles say:
//
//	10 units × 60 registers take 1.51s at 9600 8N1, poll is 1s: the bus would be 151 % busy, …
func Fits(c Config, devices []Device) error {
	shares, err := Shares(c, devices)
	if err != nil {
		return err
	}
	sum := 0.0
	for _, s := range shares {
		sum += s.Load()
	}
	if sum <= 1 {
		return nil
	}
	const told = 3
	var parts []string
	for i, s := range shares[:min(told, len(shares))] {
		on := ""
		if i == 0 {
			on = c.speed()
		}
		parts = append(parts, fmt.Sprintf("%s × %s take %v%s, poll is %v",
			plural(s.Units, "unit"), plural(s.Items, "register"), short(s.Takes), on, s.Every))
	}
	if n := len(shares) - told; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return fmt.Errorf("%s: the bus would be %.0f %% busy, want %s", strings.Join(parts, "; "), sum*100, c.remedy(shares, sum))
}

// remedy says what would fit.
func (c *Config) remedy(shares []Share, load float64) string {
	polls := "longer polls"
	if len(shares) == 1 {
		longer := time.Duration(shares[0].Every.Seconds() * load * 1.1 * float64(time.Second))
		step := 100 * time.Millisecond
		polls = fmt.Sprintf("a poll of %v", (longer + step - 1).Truncate(step))
	}
	if c.URL != "" {
		return polls + " or fewer registers"
	}
	return polls + ", fewer registers or a faster line"
}

// speed says how fast the bus is.
func (c *Config) speed() string {
	if c.URL != "" {
		return " by TCP"
	}
	return " at " + c.Line
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short rounds d to three digits or so.
func short(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}
