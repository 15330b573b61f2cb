package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/suggest"
)

// Contestant is a method with keys of the configuration that only this contestant sets.
type Contestant struct {
	Name   string        `json:"name"` // as Parse reads it: ipld:particles=4
	Method config.Method `json:"method"`
	Like   config.Method `json:"like,omitempty"` // whose defaults it has; "": its own method's
	Own    []Own         `json:"own,omitempty"`
}

// Own is a key of the configuration with its value, as config.Key.Set reads it; or, as in "x0.5", a
// multiple of the value that the key would have otherwise, on the data of the comparison.
type Own struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// multiple returns the factor of a value such as "x0.5".
func (o Own) multiple() (factor float64, ok bool) {
	text, ok := strings.CutPrefix(o.Value, "x")
	if !ok {
		return 0, false
	}
	factor, err := strconv.ParseFloat(text, 64)
	return factor, err == nil && factor > 0 && !math.IsInf(factor, 1)
}

// Parse reads a list of contestants, METHOD[:KEY=VALUE]... each, with commas between them:
// "pgd,ipld:particles=4:inner_steps=2". Brackets keep a list of numbers together:
// "ipld:decoder_widths=[64,128]". "ipld:step_size=x0.5" has half the step size that it would have,
// and "pgd:like=ipld" has ipld's defaults in the keys that pgd reads.
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
	for _, part := range parts[1:] {
		if err := c.set(part); err != nil {
			return c, fmt.Errorf("contestant %q: %w", text, err)
		}
	}
	var given []config.Given
	for _, own := range c.Own {
		given = append(given,
			config.Given{Key: own.Key, Where: fmt.Sprintf("contestant %q", text)})
	}
	return c, method.CheckRead(given, c.Method)
}

// set adds KEY=VALUE to the contestant.
func (c *Contestant) set(part string) error {
	name, value, found := strings.Cut(part, "=")
	name = strings.ReplaceAll(strings.TrimSpace(name), "-", "_")
	if !found || name == "" {
		return fmt.Errorf("%q: expected KEY=VALUE", part)
	}
	if name == "like" && c.Like == "" {
		c.Like, c.Name = config.Method(value), c.Name+":like="+value
		if !slices.Contains(config.Methods, c.Like) {
			names := config.Names(config.Methods)
			return fmt.Errorf("like = %s: expected one of %s%s", value, strings.Join(names, ", "),
				suggest.DidYouMean(value, names))
		}
		return nil
	}
	if !slices.Contains(ownKeys(), name) && name != "like" {
		return fmt.Errorf("%s is no key that a contestant sets%s", name,
			suggest.DidYouMean(name, ownKeys()))
	}
	if slices.ContainsFunc(c.Own, func(o Own) bool { return o.Key == name }) || name == "like" {
		return fmt.Errorf("%s: expected one value", name)
	}
	own, err := parseOwn(name, value)
	c.Own = append(c.Own, own)
	c.Name += ":" + own.text()
	return err
}

func parseOwn(name, value string) (Own, error) {
	scratch := config.Common()
	key, own := scratch.Key(name), Own{name, strings.TrimSpace(value)}
	if factor, ok := own.multiple(); ok && key.Type() == "float" {
		own.Value = "x" + strconv.FormatFloat(factor, 'g', -1, 64)
		return own, nil
	}
	if err := key.Set(value); err != nil {
		return own, fmt.Errorf("%s = %s: %w", name, value, err)
	}
	own.Value = key.String()
	return own, nil
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
