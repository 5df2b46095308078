package config

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"sluice/protocol"
)

// scalar sets v, which is no container, from n. What YAML makes of a scalar
// does not count, only what v is: 1.10 is 1.10 in a text.
func (p *parser) scalar(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		p.report(n, "%s is %s, want %s", path, found(n), wanted(v.Type()))
		return
	}
	text, ok := p.text(n)
	if !ok || v.Kind() != reflect.String && p.skip && p.isExpanded(n) {
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		p.unmarshal(n, path, text, u)
		return
	}
	problem := ""
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		problem = setDuration(v, text)
	case v.Kind() == reflect.String:
		v.SetString(text)
		if v.Type() == reflect.TypeFor[protocol.Secret]() && text != "" && !p.isExpanded(n) {
			p.warn(n, path+" stands in the file itself, want ${env:NAME} or ${file:PATH}")
		}
	case n.Style&quotedStyle != 0 && !p.isExpanded(n):
		problem = "write " + wanted(v.Type()) + " without quotes"
	case v.Kind() == reflect.Bool:
		problem = setBool(v, text)
	case v.CanInt():
		problem = setInt(v, text)
	case v.CanFloat():
		problem = setFloat(v, text)
	default:
		problem = "this cannot be set in a file"
	}
	if problem != "" {
		p.report(n, "%s is %s, %s", path, quote(n.Value), problem)
	}
}

const quotedStyle = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

func (p *parser) unmarshal(n *yaml.Node, path, text string, u encoding.TextUnmarshaler) {
	err := u.UnmarshalText([]byte(text))
	switch {
	case err == nil:
	case p.isExpanded(n):
		p.report(n, "%s is %s, which is not %s", path, quote(n.Value), wanted(reflect.TypeOf(u).Elem()))
	default:
		p.report(n, "%s: %v", path, err)
	}
}

func setDuration(v reflect.Value, text string) string {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return "but a duration wants a unit, such as 10s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return "want a number and a unit, such as 250ms, 10s or 5m"
	}
	v.SetInt(int64(d))
	return ""
}

func setBool(v reflect.Value, text string) string {
	if text != "true" && text != "false" {
		return "write true or false"
	}
	v.SetBool(text == "true")
	return ""
}

func setInt(v reflect.Value, text string) string {
	i, err := strconv.ParseInt(text, 10, v.Type().Bits())
	digits := strings.TrimLeft(text, "+-")
	switch {
	case err != nil:
		return "want a whole number"
	case len(digits) > 1 && digits[0] == '0':
		return "write the number without leading zeros"
	}
	v.SetInt(i)
	return ""
}

func setFloat(v reflect.Value, text string) string {
	switch text { // as YAML writes a range without an end
	case ".inf", "+.inf":
		v.SetFloat(math.Inf(1))
		return ""
	case "-.inf":
		v.SetFloat(math.Inf(-1))
		return ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "+-.0123456789eE") != "" {
		return "want a number"
	}
	v.SetFloat(f)
	return ""
}

// quote returns text from the file for a message, cut to a readable length.
func quote(text string) string {
	const longest = 48
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	return strconv.Quote(text)
}
