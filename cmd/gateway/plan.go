package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"sluice/cmd/gateway/config"
)

// step is what becomes of one driver or sink when a configuration takes the place of
// another.
type step struct {
	Part    string   `json:"part"` // driver or sink
	Name    string   `json:"name"`
	Action  string   `json:"action"`
	Changed []string `json:"changed,omitempty"` // settings by their path below the part's name; devices and profiles
	Was     string   `json:"was,omitempty"`     // its name before

	// Seconds is how long it took, together with others of its kind; 0: it was
	// not done yet.
	Seconds float64 `json:"seconds,omitempty"`
}

// The actions of a step.
const (
	actionKept      = "kept"
	actionUpdated   = "updated"   // takes other devices without a reconnect
	actionRestarted = "restarted" // with other settings; a sink goes on at its cursor
	actionRenamed   = "renamed"   // a sink that goes on at the cursor of its old name
	actionAdded     = "added"
	actionRemoved   = "removed"
)

// plan is what has to be done for a configuration to take the place of another.
type plan struct {
	Steps []step `json:"steps"`
	// Live are settings that change at once, beside drivers and sinks.
	Live []string `json:"live,omitempty"`
	// Restart are settings that take a restart of the gateway.
	Restart []string `json:"restart,omitempty"`
}

// newPlan compares a configuration with the one that is to take its place.
func newPlan(before, after *config.File, same sameText) plan {
	var p plan
	p.Restart = same.differences("", settings(before), settings(after))
	if before.Log.Level != after.Log.Level {
		p.Live = append(p.Live, "log.level")
	}
	if before.Reload != after.Reload {
		p.Live = append(p.Live, "reload.watch")
	}
	for _, d := range after.Drivers {
		p.Steps = append(p.Steps, planDriver(before, d, same))
	}
	for _, d := range before.Drivers {
		if !slices.ContainsFunc(after.Drivers, func(o config.Driver) bool { return o.Name == d.Name }) {
			p.Steps = append(p.Steps, step{Part: "driver", Name: d.Name, Action: actionRemoved})
		}
	}
	p.planSinks(before, after, same)
	return p
}

// settings is what a gateway cannot change while it runs.
func settings(f *config.File) any {
	type section struct {
		Format string `yaml:"format"`
	}
	return struct {
		Gateway  string      `yaml:"gateway"`
		HTTP     config.HTTP `yaml:"http"`
		Log      section     `yaml:"log"`
		Pipeline any         `yaml:"pipeline"`
	}{f.Gateway, f.HTTP, section{f.Log.Format}, f.Pipeline}
}

func planDriver(before *config.File, d config.Driver, same sameText) step {
	s := step{Part: "driver", Name: d.Name}
	i := slices.IndexFunc(before.Drivers, func(o config.Driver) bool { return o.Name == d.Name })
	if i < 0 {
		s.Action = actionAdded
		return s
	}
	was := before.Drivers[i]
	s.Changed = same.differences("", driverSettings(was), driverSettings(d))
	restart := len(s.Changed) > 0 || d.MQTT == nil // the other kinds take no update
	s.Changed = append(s.Changed, same.deviceDifferences(was, d)...)
	switch {
	case len(s.Changed) == 0:
		s.Action = actionKept
	case restart:
		s.Action = actionRestarted
	default:
		s.Action = actionUpdated
	}
	return s
}

func (p *plan) planSinks(before, after *config.File, same sameText) {
	at := len(p.Steps)
	inherited := map[string]bool{}
	for _, now := range after.Sinks {
		s := step{Part: "sink", Name: now.Name, Action: actionAdded}
		for _, was := range before.Sinks {
			switch {
			case was.Name == now.Name:
				s.Changed = same.differences("", sinkSettings(was), sinkSettings(now))
				s.Action = actionKept
				if len(s.Changed) > 0 {
					s.Action = actionRestarted
				}
			case was.Name == now.Delivery.Was && sinkNamed(before, now.Name) == nil:
				s.Action, s.Was = actionRenamed, was.Name
				s.Changed = same.differences("", sinkSettings(was), sinkSettings(now))
				inherited[was.Name] = true
			}
		}
		p.Steps = append(p.Steps, s)
	}
	p.followFallbacks(after, p.Steps[at:])
	for _, was := range before.Sinks {
		if sinkNamed(after, was.Name) == nil && !inherited[was.Name] {
			p.Steps = append(p.Steps, step{Part: "sink", Name: was.Name, Action: actionRemoved})
		}
	}
}

// followFallbacks restarts the sinks whose fallback is another now.
func (p *plan) followFallbacks(after *config.File, steps []step) {
	for i := range steps {
		s := &steps[i]
		fallback := sinkNamed(after, s.Name).Delivery.Fallback
		j := slices.IndexFunc(steps, func(o step) bool { return o.Name == fallback })
		if s.Action == actionKept && j >= 0 && steps[j].Action != actionKept {
			s.Action, s.Changed = actionRestarted, []string{"fallback"}
		}
	}
}

func sinkNamed(f *config.File, name string) *config.Sink {
	for i := range f.Sinks {
		if f.Sinks[i].Name == name {
			return &f.Sinks[i]
		}
	}
	return nil
}

// of returns the names of a part's steps with one of these actions.
func (p *plan) of(part string, actions ...string) (names []string) {
	for _, s := range p.Steps {
		if s.Part == part && slices.Contains(actions, s.Action) {
			names = append(names, s.Name)
		}
	}
	return names
}

// isEmpty reports whether nothing has to be done.
func (p *plan) isEmpty() bool {
	return len(p.Live)+len(p.Restart) == 0 && !slices.ContainsFunc(p.Steps, func(s step) bool { return s.Action != actionKept })
}

// took notes how long what was done to drivers or sinks took.
func (p *plan) took(part string, names []string, took time.Duration) {
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Part == part && slices.Contains(names, s.Name) {
			s.Seconds = took.Seconds()
		}
	}
}

// summary counts the actions for people.
func (p *plan) summary() string {
	counts := map[string]int{}
	for _, s := range p.Steps {
		counts[s.Part+" "+s.Action]++
	}
	var words []string
	for _, part := range []string{"driver", "sink"} {
		for _, action := range []string{actionAdded, actionUpdated, actionRestarted, actionRenamed, actionRemoved} {
			if n := counts[part+" "+action]; n > 0 {
				words = append(words, count(n, part)+" "+action)
			}
		}
	}
	words = append(words, p.Live...)
	return cmp.Or(strings.Join(words, ", "), "nothing has changed")
}

// print writes the steps as a table, for people.
func (p *plan) print(w io.Writer) error {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, s := range p.Steps {
		what, took := strings.Join(s.Changed, ", "), ""
		if s.Was != "" {
			what = strings.TrimSuffix("was "+s.Was+", "+what, ", ")
		}
		if s.Seconds > 0 {
			took = time.Duration(s.Seconds * float64(time.Second)).Round(10 * time.Microsecond).String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.Part, s.Name, s.Action, what, took)
	}
	for _, name := range p.Live {
		fmt.Fprintf(table, "setting\t%s\tchanged\t\t\n", name)
	}
	for _, name := range p.Restart {
		fmt.Fprintf(table, "setting\t%s\ttakes a restart\t\t\n", name)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}
