package payload

// names gives metric names that are found in messages one string each, so that
// finding a name again allocates nothing, and tells names that are used twice
// in a message.
type names struct {
	known map[string]*name
	turn  uint64 // counts messages
}

type name struct {
	text string
	used uint64 // the turn in which it was used last
}

// keptNames is how many names are remembered between messages. Devices that
// invent names make it start over.
const keptNames = 4096

func newNames() *names { return &names{known: map[string]*name{}} }

// next begins a message.
func (n *names) next() {
	n.turn++
	if len(n.known) > keptNames {
		clear(n.known)
	}
}

// use returns text as a string, and false when this message used it before.
func (n *names) use(text []byte) (string, bool) {
	at := n.known[string(text)]
	if at == nil {
		at = &name{text: string(text)}
		n.known[at.text] = at
	}
	if at.used == n.turn {
		return at.text, false
	}
	at.used = n.turn
	return at.text, true
}

// take says that this message uses a name that is a string already, and reports
// false when it did so before.
func (n *names) take(text string) bool {
	at := n.known[text]
	if at == nil {
		at = &name{text: text}
		n.known[text] = at
	}
	fresh := at.used != n.turn
	at.used = n.turn
	return fresh
}
