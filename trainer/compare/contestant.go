package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Contestant is a method with keys of the configuration that only this contestant sets.
type Contestant struct {
	Name   string        `json:"name"` // as Parse reads it: ipld:particles=4
	Method config.Method `json:"method"`
	Own    []Own         `json:"own,omitempty"`
}

// Own is a key of the configuration with its value, as config.Key.Set reads it.
type Own struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Parse reads a list of contestants, METHOD[:KEY=VALUE]... each, with commas between them:
// "pgd,ipld:particles=4:inner_steps=2". Brackets keep a list of numbers together:
// "ipld:decoder_widths=[64,128]".
func Parse(list string) ([]Contestant, error) {
	var all []Contestant
	var problems []error
	for _, text := range split(list) {
		c, err := parseOne(text)
		all, problems = append(all, c), append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return all, nil
}

// split splits the list at commas outside of brackets.
func split(list string) []string {
	depth := 0
	return strings.FieldsFunc(list, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return r == ',' && depth == 0
	})
}

func parseOne(text string) (Contestant, error) {
	parts := strings.Split(strings.TrimSpace(text), ":")
	c := Contestant{Name: parts[0], Method: config.Method(parts[0])}
	if !slices.Contains(config.Methods, c.Method) {
		names := config.Names(config.Methods)
		return c, fmt.Errorf("contestant %q: method %q: expected one of %s%s", text, c.Method,
			strings.Join(names, ", "), suggest.DidYouMean(c.Name, names))
	}
	scratch := config.Common()
	for _, part := range parts[1:] {
		name, value, found := strings.Cut(part, "=")
		name = strings.ReplaceAll(strings.TrimSpace(name), "-", "_")
		if !found || name == "" {
			return c, fmt.Errorf("contestant %q: %q: expected KEY=VALUE", text, part)
		}
		if !slices.Contains(ownKeys(), name) {
			return c, fmt.Errorf("contestant %q: %s is no key that a contestant sets%s",
				text, name, suggest.DidYouMean(name, ownKeys()))
		}
		if slices.ContainsFunc(c.Own, func(o Own) bool { return o.Key == name }) {
			return c, fmt.Errorf("contestant %q: %s: expected one value", text, name)
		}
		given := []config.Given{{Key: name, Where: fmt.Sprintf("contestant %q", text)}}
		if err := method.CheckRead(given, c.Method); err != nil {
			return c, err
		}
		key := scratch.Key(name)
		if err := key.Set(value); err != nil {
			return c, fmt.Errorf("contestant %q: %s = %s: %w", text, name, value, err)
		}
		own := Own{name, key.String()}
		c.Own = append(c.Own, own)
		c.Name += ":" + own.text()
	}
	return c, nil
}

// text formats the key and its value as Parse reads them.
func (o Own) text() string {
	if strings.Contains(o.Value, ",") {
		return o.Key + "=[" + o.Value + "]"
	}
	return o.Key + "=" + o.Value
}

// dir returns the contestant's part of the names of its runs' directories.
func (c Contestant) dir() string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '_',
			r == '+', r == '-', r == '=':
			return r
		case r == ':':
			return ','
		}
		return '_'
	}, c.Name)
}
