package serial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/drivers/serial/port"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// share is what the devices of one profile cost a line.
type share struct {
	name    string
	profile *payload.Profile
	devices int
	takes   time.Duration // that all of them are asked once, at least
	every   time.Duration
}

// Fits returns an error with the arithmetic when devices cannot be asked on the
// line of c as often as their profiles say, not even if they answered at once and
// with a single character. The devices are valid; what is wrong with c otherwise is
// for Validate to say.
func Fits(c Config, devices []Device) error {
	line, err := port.ParseLine(c.Line)
	if err != nil {
		return nil
	}
	var shares []share
	sum := 0.0
	for i := range devices {
		d := &devices[i]
		if d.Decode == nil || d.Decode.Ask == nil {
			continue
		}
		k := slices.IndexFunc(shares, func(s share) bool { return s.profile == d.Decode })
		if k < 0 {
			k = len(shares)
			shares = append(shares, share{name: d.Profile, profile: d.Decode, every: d.Decode.Poll})
		}
		takes := least(d, c.gap(line), line)
		shares[k].devices++
		shares[k].takes += takes
		sum += takes.Seconds() / d.Decode.Poll.Seconds()
	}
	if sum <= 1 {
		return nil
	}
	var parts []string
	for i := range shares {
		s := &shares[i]
		noun := "devices"
		if s.devices == 1 {
			noun = "device"
		}
		parts = append(parts, fmt.Sprintf("%d %s of profile %s take at least %v, poll is %v",
			s.devices, noun, s.name, s.takes.Round(time.Millisecond), s.every))
	}
	return fmt.Errorf("%s: the line would be %.0f %% busy, want longer polls, shorter pauses or fewer devices", strings.Join(parts, "; "), sum*100)
}

// least returns the time that a line is busy at least when d is asked once.
func least(d *Device, gap time.Duration, line port.Line) time.Duration {
	ask := d.Decode.Ask
	texts, sum := []string{ask.Request}, time.Duration(0)
	for _, p := range ask.Before {
		texts = append(texts, p.Send)
		sum += p.Pause
		if p.Answer {
			sum += line.Span(1)
		}
	}
	for _, text := range texts {
		b, _ := payload.Spoken(text, d.Unit, protocol.Value{}) // it is valid
		sum += gap + line.Span(len(b))
	}
	return sum + line.Span(1)
}
