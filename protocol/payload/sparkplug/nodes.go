package sparkplug

// nodes holds the edge nodes that were heard, the least recent ones giving way
// to new ones. What a node said that has given way is unknown again: its next
// messages are refused unless they say everything themselves, and ask for a
// rebirth.
type nodes struct {
	byKey          map[nodeKey]*node
	newest, oldest *node
	known          int // metrics of all nodes
}

// get returns the node of key and notes that it was heard.
func (ns *nodes) get(key nodeKey) *node {
	n := ns.byKey[key]
	switch {
	case n == nil:
		if len(ns.byKey) == maxNodes {
			ns.forget(ns.oldest)
		}
		n = newNode(key)
		ns.byKey[n.key] = n
	case n == ns.newest:
		return n
	default:
		ns.unlink(n)
	}
	n.older, n.newer = ns.newest, nil
	if ns.newest != nil {
		ns.newest.newer = n
	} else {
		ns.oldest = n
	}
	ns.newest = n
	return n
}

func (ns *nodes) unlink(n *node) {
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		ns.newest = n.older
	}
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		ns.oldest = n.newer
	}
}

func (ns *nodes) forget(n *node) {
	ns.unlink(n)
	delete(ns.byKey, n.key)
	ns.known -= n.counted
}

// weigh notes how much the newest node knows now, and makes room for it.
func (ns *nodes) weigh() {
	n := ns.newest
	ns.known += n.known - n.counted
	n.counted = n.known
	for ns.known > maxKnown {
		ns.forget(ns.oldest)
	}
}
