package report

import "log/slog"

// news is the changes of presence since they were last logged.
type news struct{ fell, back names }

// names is how many devices, and the first of them.
type names struct {
	count int
	first []string
}

// maxNamed is how many devices one line of the log names.
const maxNamed = 5

func (n *names) add(name string) {
	n.count++
	if len(n.first) < maxNamed {
		n.first = append(n.first, name)
	}
}

func (n *news) take() news {
	told := *n
	*n = news{}
	return told
}

// log says what has happened, in one line each: a broker that is away silences
// thousands.
func (n *news) log(to *slog.Logger) {
	if n.fell.count > 0 {
		to.Warn("devices have fallen silent", "count", n.fell.count, "devices", n.fell.first)
	}
	if n.back.count > 0 {
		to.Info("devices that were silent are back", "count", n.back.count, "devices", n.back.first)
	}
}
