package sparkplug

import (
	"strings"
	"unicode/utf8"

	"sluice/protocol"
)

// namespace begins every topic of Sparkplug B.
const namespace = "spBv1.0"

// maxID is the most bytes in the name of a group, node, device or host.
const maxID = 256

// Kind is what a message is about, the third level of its topic.
type Kind uint8

// The kinds of messages.
const (
	NodeBirth Kind = iota + 1
	DeviceBirth
	NodeData
	DeviceData
	NodeDeath
	DeviceDeath
	NodeCommand
	DeviceCommand
	HostState
)

// String returns the word that topics use, such as "NBIRTH".
func (k Kind) String() string {
	switch k {
	case NodeBirth:
		return "NBIRTH"
	case DeviceBirth:
		return "DBIRTH"
	case NodeData:
		return "NDATA"
	case DeviceData:
		return "DDATA"
	case NodeDeath:
		return "NDEATH"
	case DeviceDeath:
		return "DDEATH"
	case NodeCommand:
		return "NCMD"
	case DeviceCommand:
		return "DCMD"
	case HostState:
		return "STATE"
	}
	return "Kind(?)"
}

// ofDevice reports whether messages of the kind name a device.
func (k Kind) ofDevice() bool {
	return k == DeviceBirth || k == DeviceData || k == DeviceDeath || k == DeviceCommand
}

// Topic is what a topic says. Host is set for HostState alone, Group and Node
// for all others, Device where the kind has one.
type Topic struct {
	Kind                Kind
	Group, Node, Device string
	Host                string
}

// String returns the topic to publish at.
func (t Topic) String() string {
	switch {
	case t.Kind == HostState:
		return namespace + "/STATE/" + t.Host
	case t.Kind.ofDevice():
		return namespace + "/" + t.Group + "/" + t.Kind.String() + "/" + t.Node + "/" + t.Device
	}
	return namespace + "/" + t.Group + "/" + t.Kind.String() + "/" + t.Node
}

// ParseTopic reads a topic: spBv1.0/GROUP/KIND/NODE[/DEVICE], spBv1.0/STATE/HOST
// or, as hosts before Sparkplug 3.0 have it, STATE/HOST. It refuses others with
// the reason "kind" when they are none of Sparkplug B, "syntax" when their
// levels are wrong, "size" and "utf8". What it returns refers to s.
func ParseTopic(s string) (Topic, error) {
	first, rest, _ := strings.Cut(s, "/")
	switch {
	case first == "STATE":
		return hostTopic(s, rest)
	case first != namespace:
		return Topic{}, protocol.Refuse("kind", "topic %.64q begins with no %s", s, namespace)
	}
	group, rest, _ := strings.Cut(rest, "/")
	if group == "STATE" && strings.IndexByte(rest, '/') < 0 {
		return hostTopic(s, rest)
	}
	word, rest, _ := strings.Cut(rest, "/")
	t := Topic{Kind: kindOf(word), Group: group}
	if t.Kind == 0 {
		return Topic{}, protocol.Refuse("kind", "topic %.64q has no kind of message that is known", s)
	}
	named := false
	t.Node, t.Device, named = strings.Cut(rest, "/")
	if named != t.Kind.ofDevice() || strings.IndexByte(t.Device, '/') >= 0 ||
		t.Group == "" || t.Node == "" || named && t.Device == "" {
		return Topic{}, protocol.Refuse("syntax", "topic %.64q: want %s/GROUP/KIND/NODE, and /DEVICE where the kind begins with D", s, namespace)
	}
	return t, legal(s, t.Group, t.Node, t.Device)
}

func hostTopic(s, host string) (Topic, error) {
	if host == "" || strings.IndexByte(host, '/') >= 0 {
		return Topic{}, protocol.Refuse("syntax", "topic %.64q: want STATE/HOST", s)
	}
	return Topic{Kind: HostState, Host: host}, legal(s, host)
}

// kindOf returns the kind of a word, 0 for others. STATE has no such topics.
func kindOf(word string) Kind {
	for k := NodeBirth; k < HostState; k++ {
		if k.String() == word {
			return k
		}
	}
	return 0
}

// legal refuses names that are too long or no text.
func legal(s string, ids ...string) error {
	for _, id := range ids {
		if len(id) > maxID {
			return protocol.Refuse("size", "topic %.64q has a name of %d bytes, want at most %d", s, len(id), maxID)
		}
	}
	if !utf8.ValidString(s) {
		return protocol.Refuse("utf8", "topic %.64q is not UTF-8", s)
	}
	return nil
}
