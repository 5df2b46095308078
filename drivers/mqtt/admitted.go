package mqtt

// admitted are the devices of a row that has a Max. It is used by one goroutine at a
// time.
type admitted struct {
	names map[string]bool // as many as Max
	away  int             // how many were told of that were turned away
}

// mostAway is how many devices are named that were turned away; behind them may be a
// sender that invents names.
const mostAway = 20

// admit reports whether a device is one of the first most.
func (a *admitted) admit(name string, most int) bool {
	if !a.names[name] && len(a.names) >= most {
		return false
	}
	a.names[name] = true
	return true
}
