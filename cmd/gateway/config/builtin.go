package config

import (
	"embed"
	"path"
	"reflect"
	"strings"

	"sluice/protocol/payload"
)

// The profiles that come with the program: a file each, which begins with a
// comment for people and then is what stands under a profile's name.
//
//go:embed builtin/*.yaml
var builtinFiles embed.FS

// builtinPrefix begins the names of profiles that come with the program.
const builtinPrefix = "builtin/"

// Builtin is a profile that comes with the program.
type Builtin struct {
	Name    string // with the prefix, as a device row names it
	Summary string // one sentence
	Text    string // the whole file
	Profile *payload.Profile
}

// Builtins returns the profiles that come with the program, by name.
func Builtins() []Builtin {
	entries, _ := builtinFiles.ReadDir("builtin") // embedded: cannot fail
	list := make([]Builtin, 0, len(entries))
	for _, e := range entries {
		b, _ := builtin(builtinPrefix + strings.TrimSuffix(e.Name(), ".yaml"))
		list = append(list, b)
	}
	return list
}

// builtin returns the profile of that name, and false when there is none.
func builtin(name string) (Builtin, bool) {
	word, ok := strings.CutPrefix(name, builtinPrefix)
	if !ok || strings.Contains(word, "/") {
		return Builtin{}, false
	}
	text, err := builtinFiles.ReadFile(path.Join("builtin", word+".yaml"))
	if err != nil {
		return Builtin{}, false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	profile, err := ParseProfile(name, text)
	if err != nil {
		return Builtin{}, false // a test parses them all
	}
	return Builtin{name, strings.TrimPrefix(first, "# "), string(text), profile}, true
}

// ParseProfile parses a file that holds one profile alone: what stands under its
// name in a configuration. An error is always Problems.
func ParseProfile(name string, text []byte) (*payload.Profile, error) {
	p := newParser(name, Options{})
	profile := new(payload.Profile)
	if root := p.document(text); root != nil {
		p.decode(root, "profile", reflect.ValueOf(profile).Elem())
		p.validate(root, "", profile)
	}
	if len(p.problems) > 0 {
		return nil, p.problems.arrange([]source{{name, splitLines(text)}})
	}
	return profile, nil
}

// namedProfile returns the profile of the file, or of those that come with the
// program, that a row names. A builtin one joins the file's.
func (d *deviceList) namedProfile(name string) *payload.Profile {
	if known := d.file.Profiles[name]; known != nil {
		return known
	}
	if b, ok := builtin(name); ok {
		d.file.Profiles[name] = b.Profile
		return b.Profile
	}
	return nil
}
