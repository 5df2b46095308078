package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/drivers/serial/port"
)

// foundPort is one serial port.
type foundPort struct {
	Name      string   `json:"name"` // the one to use: it stays
	Node      string   `json:"node"`
	ByID      []string `json:"by_id,omitempty"`
	ByPath    []string `json:"by_path,omitempty"`
	Links     []string `json:"links,omitempty"` // other names that lead to it
	Driver    string   `json:"driver,omitempty"`
	Bus       string   `json:"bus,omitempty"`
	VendorID  string   `json:"vendor_id,omitempty"` // hexadecimal, as the bus has it
	ProductID string   `json:"product_id,omitempty"`
	Vendor    string   `json:"vendor,omitempty"`
	Product   string   `json:"product,omitempty"`
	Serial    string   `json:"serial,omitempty"`
	Group     string   `json:"group,omitempty"`
	Mode      string   `json:"mode,omitempty"`
	Owner     string   `json:"owner,omitempty"`
	Open      bool     `json:"open"`              // this user may open it
	Missing   bool     `json:"missing,omitempty"` // the kernel has it, but it has no node
	Advice    []string `json:"advice,omitempty"`

	resolved string // the node with all links followed; "" when missing
}

// machine is where dev and sys are.
type machine struct{ root string }

// ports returns the serial ports: those that the kernel has a device for, and
// those that only a stable name leads to.
func (m machine) ports() []*foundPort {
	var found []*foundPort
	classes, _ := filepath.Glob(m.path("sys/class/tty/*"))
	for _, class := range classes {
		if p := m.fromKernel(class); p != nil {
			found = append(found, p)
		}
	}
	found = m.link(found, "dev/serial/by-id/*", func(p *foundPort, name string) { p.ByID = append(p.ByID, name) }, true)
	found = m.link(found, "dev/serial/by-path/*", func(p *foundPort, name string) { p.ByPath = append(p.ByPath, name) }, true)
	found = m.link(found, "dev/*", func(p *foundPort, name string) { p.Links = append(p.Links, name) }, false)
	for _, p := range found {
		p.name()
		m.judge(p)
	}
	slices.SortFunc(found, func(a, b *foundPort) int {
		return cmp.Or(cmp.Compare(len(a.Node), len(b.Node)), cmp.Compare(a.Node, b.Node)) // ttyUSB2 before ttyUSB10
	})
	return found
}

func (m machine) path(below string) string { return filepath.Join(m.root, below) }

// shown returns a path as it is on the machine itself.
func (m machine) shown(path string) string {
	below, err := filepath.Rel(m.root, path)
	if err != nil || below == ".." || strings.HasPrefix(below, "../") {
		return path
	}
	return "/" + below
}

// fromKernel returns the port of a folder of /sys/class/tty, nil when there is
// no device behind it: consoles, and the places that old drivers keep free.
func (m machine) fromKernel(class string) *foundPort {
	device, err := filepath.EvalSymlinks(filepath.Join(class, "device"))
	if err != nil || fact(class, "type") == "0" {
		return nil
	}
	node := m.path("dev/" + strings.ReplaceAll(filepath.Base(class), "!", "/"))
	p := &foundPort{Node: m.shown(node)}
	if p.resolved, err = filepath.EvalSymlinks(node); err != nil {
		p.Missing = true
	}
	sys, err := filepath.EvalSymlinks(m.path("sys"))
	if err != nil {
		return nil
	}
	for dir := device; strings.HasPrefix(dir, sys+"/"); dir = filepath.Dir(dir) {
		if p.learn(dir) {
			break
		}
	}
	return p
}

// learn takes from a device's folder what is not known yet, and reports whether
// that was all.
func (p *foundPort) learn(dir string) bool {
	bus, driver := leadsTo(dir, "subsystem"), leadsTo(dir, "driver")
	if p.Driver == "" && driver != "" && bus != "serial-base" { // a layer of the kernel's own
		p.Driver, p.Bus = driver, bus
	}
	switch {
	case fact(dir, "idVendor") != "":
		p.Bus, p.VendorID, p.ProductID = "usb", fact(dir, "idVendor"), fact(dir, "idProduct")
		p.Vendor, p.Product, p.Serial = fact(dir, "manufacturer"), fact(dir, "product"), fact(dir, "serial")
	case bus == "pci":
		p.VendorID, p.ProductID = strings.TrimPrefix(fact(dir, "vendor"), "0x"), strings.TrimPrefix(fact(dir, "device"), "0x")
	default:
		return false
	}
	return true
}

// fact reads a file of sysfs, "" when there is none.
func fact(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// leadsTo returns the last part of where a link of sysfs leads to.
func leadsTo(dir, name string) string {
	to, err := os.Readlink(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// link tells every port its names that match a pattern, and adds those ports
// that are not known yet, when it is to.
func (m machine) link(found []*foundPort, pattern string, tell func(p *foundPort, name string), add bool) []*foundPort {
	links, _ := filepath.Glob(m.path(pattern))
	for _, link := range links {
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			continue
		}
		device, err := filepath.EvalSymlinks(link)
		if err != nil || m.shown(link) == m.shown(device) {
			continue
		}
		at := slices.IndexFunc(found, func(p *foundPort) bool { return p.resolved == device })
		if at < 0 && add {
			at, found = len(found), append(found, &foundPort{Node: m.shown(device), resolved: device})
		}
		if at >= 0 && found[at].Node != m.shown(link) {
			tell(found[at], m.shown(link))
		}
	}
	return found
}

// name chooses the name that stays.
func (p *foundPort) name() {
	// udev has two for one socket; the one with the version of USB is new.
	slices.SortStableFunc(p.ByPath, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	switch unique := p.Bus != "usb" || p.Serial != ""; {
	case len(p.ByID) > 0 && (unique || len(p.ByPath) == 0):
		p.Name = p.ByID[0]
	case len(p.ByPath) > 0 && p.Bus == "usb":
		p.Name = p.ByPath[0]
		p.Advice = append(p.Advice, "the device has no serial number to be told by: this name is that of its socket, where it has to stay")
	case p.Bus == "usb":
		p.Name = p.Node
		p.Advice = append(p.Advice, "no name stays when devices are plugged in again: /dev/serial is made by udev, which does not run here")
	default:
		p.Name = p.Node // soldered in
	}
}

// judge says whether the port can be opened, and what to do when not.
func (m machine) judge(p *foundPort) {
	if p.Missing {
		p.Advice = append(p.Advice, fmt.Sprintf("there is no %s: in a container it has to be passed in (--device %s)", p.Node, p.Node))
		return
	}
	access, err := port.AccessTo(p.resolved)
	if err != nil {
		p.Advice = append(p.Advice, err.Error())
		return
	}
	p.Group, p.Mode, p.Open = access.Group, fmt.Sprintf("%04o", access.Mode), access.Advice == ""
	p.Owner = port.Owner(p.resolved)
	if access.Advice != "" {
		p.Advice = append(p.Advice, access.Advice)
	}
}
