package config

import _ "embed"

// schema is made by go test from the types and their comments.
//
//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft-07) of a configuration, for editors.
func Schema() []byte { return schema }
