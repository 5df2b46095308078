package port

import "io/fs"

// Access is who may open a port.
type Access struct {
	Group  string      // its name, or its number where it has none
	Mode   fs.FileMode // permissions
	Advice string      // "": this user may open it; else how to be let
}
