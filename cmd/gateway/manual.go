package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func manualCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "manual DIR",
		Short:  "Write the man pages, for packages",
		Long:   "Write a man page for each command into a folder, which is made when it is missing.",
		Hidden: true, // a package has run it
		Example: `  gateway manual /usr/local/share/man/man1
  man gateway-run`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("takes one folder, got %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			return writeManual(cmd.Root(), args[0])
		},
	}
}

// writeManual writes the page of a command and those of the commands below it.
func writeManual(cmd *cobra.Command, dir string) error {
	name := pageOf(cmd) + ".1"
	if err := os.WriteFile(filepath.Join(dir, name), manPage(cmd), 0o644); err != nil {
		return fmt.Errorf("write man pages: %w", err)
	}
	for _, c := range below(cmd) {
		if err := writeManual(c, dir); err != nil {
			return err
		}
	}
	return nil
}

// below returns the commands of cmd that have a page.
func below(cmd *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			list = append(list, c)
		}
	}
	return list
}

// pageOf returns the name of a command's page, such as gateway-journal-ls.
func pageOf(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage returns the page of a command. It holds no date, so that the same source
// gives the same package.
func manPage(cmd *cobra.Command) []byte {
	p := &page{}
	p.macro(`TH "%s" "1" "" "Sluice %s" "Sluice"`, strings.ToUpper(pageOf(cmd)), version())
	p.section("NAME")
	p.line(pageOf(cmd) + " - " + cmd.Short)
	p.section("SYNOPSIS")
	p.macro("B %s", escape(cmd.UseLine()))
	p.section("DESCRIPTION")
	p.text(cmp.Or(cmd.Long, cmd.Short+"."))
	p.options("OPTIONS", cmd.NonInheritedFlags().FlagUsagesWrapped(flagWidth))
	p.options("OPTIONS OF ALL COMMANDS", cmd.InheritedFlags().FlagUsagesWrapped(flagWidth))
	if list := below(cmd); len(list) > 0 {
		p.section("COMMANDS")
		for _, c := range list {
			p.item(c.Name(), c.Short+".")
		}
	}
	if cmd.Example != "" {
		p.section("EXAMPLES")
		p.text(cmd.Example)
	}
	p.section("EXIT STATUS")
	p.line("0: done; 1: the work could not be done; 2: the command line or the configuration is wrong.")
	p.seeAlso(cmd)
	return p.Bytes()
}

// flagWidth is how many columns what flags do is wrapped to.
const flagWidth = 70

// page is a man page that is being written.
type page struct{ bytes.Buffer }

func (p *page) macro(format string, args ...any) { fmt.Fprintf(p, "."+format+"\n", args...) }

func (p *page) section(title string) { p.macro("SH %s", title) }

func (p *page) line(text string) { p.WriteString(escape(text) + "\n") }

func (p *page) item(name, text string) {
	p.macro("TP")
	p.macro("B %s", escape(name))
	p.line(text)
}

// text writes paragraphs. Lines that are indented stay as they are.
func (p *page) text(text string) {
	kept := false
	keep := func(want bool) {
		if kept != want {
			kept = want
			p.macro("%s", map[bool]string{true: "PP\n.nf", false: "fi"}[want])
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			keep(false)
			p.macro("PP")
			continue
		}
		keep(strings.HasPrefix(line, " "))
		p.line(line)
	}
	keep(false)
}

// options writes what the flags do under a title, nothing when there are none.
func (p *page) options(title, usages string) {
	if usages == "" {
		return
	}
	p.section(title)
	p.text(strings.TrimSuffix(usages, "\n"))
}

// seeAlso names the pages around that of cmd.
func (p *page) seeAlso(cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, pageOf(cmd.Parent())+"(1)")
	}
	for _, c := range below(cmd) {
		pages = append(pages, pageOf(c)+"(1)")
	}
	p.section("SEE ALSO")
	p.line(strings.Join(pages, ", "))
}

// escape keeps roff from reading text as anything but text.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
