package payload

import (
	"reflect"
	"strings"
)

// Kinds returns the words that choose a decoder, in the order of the fields of
// Decode.
func Kinds() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Decode]()) {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// Kind returns the word for the decoder that d chooses, "" when it chooses none
// or several.
func (d *Decode) Kind() string {
	if chosen := d.chosen(); len(chosen) == 1 {
		return chosen[0].name
	}
	return ""
}

// choice is a decoder that the file sets.
type choice struct {
	name     string
	settings any
}

func (d *Decode) chosen() []choice {
	var list []choice
	v := reflect.ValueOf(d).Elem()
	for i, name := range Kinds() {
		if !v.Field(i).IsZero() {
			list = append(list, choice{name, v.Field(i).Interface()})
		}
	}
	return list
}

// validator is what the settings of a decoder may have.
type validator interface {
	Validate(report func(field, problem string))
}

// validate reports problems and returns what paths may refer to.
func (d *Decode) validate(report func(field, problem string)) sources {
	whole := d.complete()
	chosen := whole.chosen()
	switch {
	case len(chosen) == 0:
		report("decode", "is required: "+oneOf(Kinds()))
		return sources{}
	case len(chosen) > 1:
		report("decode", "is both "+chosen[0].name+" and "+chosen[1].name+", want one")
		return sources{}
	case d.CSV != nil:
		return d.CSV.validate(report)
	case d.Regex != "":
		return sources{what: "named group", names: groups(d.Regex, report)}
	case d.SenML != nil:
		return sources{what: "record"}
	}
	if v, ok := chosen[0].settings.(validator); ok {
		v.Validate(func(field, problem string) { report("decode."+chosen[0].name+"."+field, problem) })
	}
	if d.isTree() {
		return d.validateEach(report)
	}
	return sources{what: "name"}
}

// isTree reports whether messages are trees, in which paths lead.
func (d *Decode) isTree() bool { return d.JSON != nil || d.CBOR != nil || d.MsgPack != nil }

func (d *Decode) validateEach(report func(field, problem string)) sources {
	text := d.each()
	if text == "" {
		return sources{}
	}
	if problem := checkEach(text); problem != "" {
		report("decode."+d.Kind()+".each", problem)
	}
	return sources{each: true}
}

func oneOf(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
