package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func portsCommand() *cobra.Command {
	var asJSON bool
	var root string
	cmd := &cobra.Command{
		Use:   "ports",
		Short: "List the serial ports, by the names that stay",
		Long: `List the serial ports of this machine: for each the name to write into the
configuration, which stays the same when the device is plugged into another
socket or found in another order (ttyUSB0, ttyUSB1), its driver and device, who
has it open, and whether this user may open it, or what to do about it.

A USB device is named after its serial number (by-id). One without is named after
its socket (by-path): by-id would be the same for a second one of its kind.`,
		Example: "  gateway ports\n  gateway ports --json | jq -r .name\n  gateway ports watch /dev/serial/by-id/usb-… --line 9600",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return listPorts(cmd.OutOrStdout(), root, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per port")
	cmd.Flags().StringVar(&root, "root", "/", "the folder that holds dev and sys, in a container that has the host's elsewhere")
	cmd.AddCommand(portsWatchCommand())
	return cmd
}

func listPorts(w io.Writer, root string, asJSON bool) error {
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved // as the names of devices will be
	}
	found := machine{root}.ports()
	if asJSON {
		lines := json.NewEncoder(w)
		for _, p := range found {
			if err := lines.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "no serial ports")
		return err
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "name\tnode\tdriver\tdevice\tgroup\tstate")
	for _, p := range found {
		p.print(table)
	}
	table.Flush() // to memory: cannot fail
	for _, p := range found {
		for _, a := range p.Advice {
			fmt.Fprintf(&text, "\n%s: %s\n", p.Name, a)
		}
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// print writes the port's rows: itself, and one for each other name.
func (p *foundPort) print(w io.Writer) {
	group := p.Group
	if p.Mode != "" {
		group += " " + p.Mode
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable(p.Name), printable(p.Node), orDash(p.Driver), orDash(printable(p.device())), orDash(group), printable(p.state()))
	for _, names := range [][]string{p.ByID, p.ByPath, p.Links} {
		for _, name := range names {
			if name != p.Name {
				fmt.Fprintf(w, "  or %s\t\t\t\t\t\n", printable(name))
			}
		}
	}
}

func (p *foundPort) state() string {
	switch {
	case p.Missing:
		return "no device node"
	case p.Owner != "":
		return "in use by " + p.Owner
	case !p.Open:
		return "closed to this user"
	}
	return "free"
}

// device says what is plugged in.
func (p *foundPort) device() string {
	var words []string
	for _, word := range []string{p.Vendor, p.Product} {
		if word != "" {
			words = append(words, word)
		}
	}
	if p.VendorID != "" {
		words = append(words, "("+p.VendorID+":"+p.ProductID+")")
	}
	return strings.Join(words, " ")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
