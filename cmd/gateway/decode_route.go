package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/cmd/gateway/config"
	"sluice/drivers/mqtt"
	"sluice/protocol"
	"sluice/protocol/payload"
)

// route says whose message it is and how it is decoded.
func (c *decodeCall) route() (payload.Message, *payload.Profile, error) {
	m := payload.Message{Topic: c.topic, Metric: c.metric}
	name := c.device
	if name == "" {
		name = "device"
	}
	m.Device = &protocol.Device{Name: name, Profile: c.profile}
	if c.profile == "" && c.topic == "" {
		return m, nil, errors.New("name a profile with --profile, or a topic of the configuration with --topic")
	}
	if profile, err := c.loneProfile(); profile != nil || err != nil {
		return m, profile, err
	}
	f, err := load(c.config, config.Options{Secrets: config.Skip})
	if errors.Is(err, fs.ErrNotExist) && c.profile != "" {
		full := "builtin/" + strings.TrimPrefix(c.profile, "builtin/")
		return m, nil, fmt.Errorf("%w, and no profile %q comes with the program%s", err, c.profile, config.Suggest(full, builtinNames()))
	}
	if err != nil {
		return m, nil, err
	}
	if c.topic != "" {
		for _, d := range f.Drivers {
			device, metric, profile, err := mqtt.Explain(d.Name, c.candidates(d.MQTTDevices), c.topic)
			if err == nil {
				m.Device, m.Metric = device, metric
				return m, profile, nil
			}
		}
	}
	if c.profile == "" {
		return m, nil, fmt.Errorf("the topic %q fits no device of %s", c.topic, c.config)
	}
	profile := f.Profiles[c.profile]
	if profile == nil {
		return m, nil, fmt.Errorf("%s has no profile %q%s", c.config, c.profile, config.Suggest(c.profile, profileNames(f)))
	}
	return m, profile, nil
}

// candidates returns the rows with the profile that was asked for.
func (c *decodeCall) candidates(rows []mqtt.Device) []mqtt.Device {
	return slices.DeleteFunc(slices.Clone(rows), func(d mqtt.Device) bool { return c.profile != "" && d.Profile != c.profile })
}

// loneProfile returns a profile that needs no configuration: one that comes
// with the program, or a file. nil: it is one of the configuration's.
func (c *decodeCall) loneProfile() (*payload.Profile, error) {
	if ext := filepath.Ext(c.profile); ext == ".yaml" || ext == ".yml" {
		text, err := os.ReadFile(c.profile)
		if err != nil {
			return nil, err
		}
		return config.ParseProfile(c.profile, text)
	}
	for _, b := range config.Builtins() {
		if _, err := os.Stat(c.config); b.Name != c.profile || c.topic != "" && err == nil {
			continue // with a topic the configuration may know more
		}
		return b.Profile, nil
	}
	return nil, nil
}

func profileNames(f *config.File) []string {
	var names []string
	for name := range f.Profiles {
		names = append(names, name)
	}
	names = append(names, builtinNames()...)
	slices.Sort(names)
	return slices.Compact(names)
}

func builtinNames() []string {
	var names []string
	for _, b := range config.Builtins() {
		names = append(names, b.Name)
	}
	return names
}
