package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// rehearsal stands in for a value that must not be read.
const rehearsal = "rehearsal"

const maxSecretSize = 1 << 20

// text returns the text of the scalar n with its references resolved; $${ is a
// plain ${. It returns false when one cannot be resolved, which is reported.
func (p *parser) text(n *yaml.Node) (string, bool) {
	if text, ok := p.expanded[n]; ok {
		return text, true
	}
	var b strings.Builder
	references := 0
	for rest := n.Value; ; {
		before, after, ok := strings.Cut(rest, "${")
		b.WriteString(before)
		if !ok {
			break
		}
		if strings.HasSuffix(before, "$") {
			b.WriteByte('{')
			rest = after
			continue
		}
		references++
		value, tail, problem := p.reference(n, after)
		if problem != "" {
			p.report(n, "%s", problem)
			return "", false
		}
		b.WriteString(value)
		rest = tail
	}
	if references > 0 {
		p.expanded[n] = b.String()
	}
	return b.String(), true
}

// reference returns what the reference stands for that ends with the first } in
// text, and the text behind it; or the problem.
func (p *parser) reference(n *yaml.Node, text string) (value, tail, problem string) {
	name, tail, closed := strings.Cut(text, "}")
	if !closed {
		return "", "", "${ is not closed with }; write $${ for a plain ${"
	}
	value, problem = p.resolve(n, name)
	return value, tail, problem
}

// resolve returns what "env:NAME", "file:PATH" or "credential:NAME" stands for, or
// the problem, which shows no other reference: it may be part of a password.
func (p *parser) resolve(n *yaml.Node, reference string) (value, problem string) {
	kind, arg, _ := strings.Cut(reference, ":")
	switch {
	case kind != "env" && kind != "file" && kind != "credential":
		return "", "unknown reference ${…}, want ${env:NAME}, ${file:PATH} or ${credential:NAME}; write $${ for a plain ${"
	case arg == "":
		return "", "the reference ${" + reference + "} names nothing, want ${env:NAME}, ${file:PATH} or ${credential:NAME}"
	case p.skip:
		return rehearsal, ""
	case kind == "env":
		value, ok := os.LookupEnv(arg)
		if !ok {
			return "", "environment variable " + arg + " is not set"
		}
		return value, ""
	}
	if kind == "credential" {
		return p.credential(n, arg)
	}
	return p.secretFile(n, arg)
}

// credential returns what systemd's LoadCredential= has given the service under a
// name. Of a folder given under the name secret each file NAME is secret_NAME.
func (p *parser) credential(n *yaml.Node, name string) (value, problem string) {
	const folder = "CREDENTIALS_DIRECTORY"
	dir := os.Getenv(folder)
	switch {
	case !filepath.IsLocal(name) || filepath.Base(name) != name:
		return "", "credential " + name + ": want the name of a file in $" + folder
	case dir == "":
		return "", "credential " + name + ": $" + folder + " is not set: systemd sets it for services with LoadCredential=, and on a command line it may name the folder of the secrets"
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", "credential " + name + ": " + err.Error()
	}
	path, inFolder := filepath.Join(dir, name), filepath.Join(dir, "secret_"+name)
	if !exists(path) && exists(inFolder) {
		path = inFolder
	}
	return p.secretFile(n, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// secretFile returns the content of a file without its last newline.
func (p *parser) secretFile(n *yaml.Node, path string) (value, problem string) {
	p.rebase(&path)
	if info, err := os.Stat(path); err == nil && info.Mode()&0o004 != 0 {
		p.warn(n, "everybody on this machine may read "+path+": chmod o-r "+path)
	}
	text, err := readLimited(path, maxSecretSize)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return "", fmt.Sprintf("read file %s: %v", path, err)
	}
	line := strings.TrimSuffix(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), ""
}

// rebase makes paths that are relative to the file's directory usable.
func (p *parser) rebase(paths ...*string) {
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(p.dir, *path)
		}
	}
}

func (p *parser) isExpanded(n *yaml.Node) bool {
	_, ok := p.expanded[n]
	return ok
}

// redact returns a component's problem with the value at n without the texts
// that references stand for.
func (p *parser) redact(n *yaml.Node, problem string) string {
	if text, ok := p.expanded[n]; ok && text != "" {
		if _, want, ok := strings.Cut(problem, ", want "); ok && !strings.Contains(want, text) {
			return fmt.Sprintf("is %s, want %s", quote(n.Value), want)
		}
		return fmt.Sprintf("is %s, which is not right with its references resolved", quote(n.Value))
	}
	const telling = 4 // shorter texts are part of any word
	for m, text := range p.expanded {
		if len(text) >= telling {
			quoted := strconv.Quote(text)
			problem = strings.ReplaceAll(problem, quoted[1:len(quoted)-1], m.Value)
			problem = strings.ReplaceAll(problem, text, m.Value)
		}
	}
	return problem
}
