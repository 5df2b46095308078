//go:build windows || (!linux && cgo)

package port

import (
	"errors"
	"fmt"
)

// portable says which options only Linux serves.
func (o *Options) portable() error {
	var all []error
	for field, asked := range map[string]bool{
		"rs485": o.RS485.turns(),
		"dtr":   o.DTR == "on" || o.DTR == "off",
		"rts":   o.RTS == "on" || o.RTS == "off",
	} {
		if asked {
			all = append(all, fmt.Errorf("%s: %w on this system, only on Linux", field, errors.ErrUnsupported))
		}
	}
	return errors.Join(all...)
}
