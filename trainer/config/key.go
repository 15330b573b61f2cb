package config

import (
	"fmt"
	"strings"
)

// Key is one key of a Config: its declaration, and a handle on its value. It has the methods of a
// flag's value (String, Set, Type, IsBoolFlag), so it can be bound to a flag.
type Key struct {
	Name    string   // as in the configuration file: step_size
	Group   string   // heading in help and files
	Help    string   // one line, with the unit
	Choices []string // the allowed values of an enumeration; else nil
	Unit    string   // of numbers; 1 if they have none
	Values  string   // which values are in range

	value value
	reset func()            // sets the default
	check func(p *Problems) // adds a problem if the value is out of range
}

// declare returns the key of a field. v and p point to the field; def is its default.
func declare[T any](v value, p *T, name string, def T, allowed rule[T], help string) Key {
	return Key{
		Name: name, Help: help, Values: allowed.values, value: v,
		reset: func() { *p = def },
		check: func(problems *Problems) {
			if expected := allowed.expected(*p); expected != "" {
				problems.add(name, *p, expected)
			}
		},
	}
}

func boolKey(p *bool, name, help string) Key {
	return declare((*boolean)(p), p, name, false, anyBool, help)
}

func intKey(p *int, name string, def int, allowed rule[int], unit, help string) Key {
	return declare((*integer)(p), p, name, def, allowed, help).in(unit)
}

func uintKey(p *uint64, name string, def uint64, allowed rule[uint64], help string) Key {
	return declare((*natural)(p), p, name, def, allowed, help)
}

func floatKey(p *float64, name string, def float64, allowed rule[float64], unit, help string) Key {
	return declare((*number)(p), p, name, def, allowed, help).in(unit)
}

// intsKey copies the default, so that configurations share no memory.
func intsKey(p *[]int, name string, def []int, allowed rule[[]int], unit, help string) Key {
	key := declare((*integers)(p), p, name, def, allowed, help).in(unit)
	key.reset = func() { *p = append([]int{}, def...) }
	return key
}

func everyKey(p *Every, name string, def Every, allowed rule[Every], unit, help string) Key {
	return declare((*interval)(p), p, name, def, allowed, help).in(unit)
}

func textKey(p *string, name, def string, allowed rule[string], help string) Key {
	return declare(text[string]{p}, p, name, def, allowed, help)
}

// choiceKey returns the key of an enumeration, whose values are the choices.
func choiceKey[T ~string](p *T, name string, def T, choices []T, help string) Key {
	key := declare(text[T]{p}, p, name, def, oneOf(choices), help)
	key.Choices = Names(choices)
	return key
}

// Names returns the values of an enumeration as strings.
func Names[T ~string](values []T) []string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return names
}

// in sets the unit of a key's numbers.
func (k Key) in(unit string) Key {
	k.Unit = unit
	return k
}

// group sets the heading of the keys.
func group(heading string, keys ...Key) []Key {
	for i := range keys {
		keys[i].Group = heading
	}
	return keys
}

// Flag is the key's flag without its dashes: step-size.
func (k Key) Flag() string { return strings.ReplaceAll(k.Name, "_", "-") }

// Env is the key's environment variable: PLUME_STEP_SIZE.
func (k Key) Env() string { return "PLUME_" + strings.ToUpper(k.Name) }

// String returns the value as Set reads it, with floats in the shortest form that keeps their
// value.
func (k Key) String() string {
	if k.value == nil { // the zero Key, which the flag package may make
		return ""
	}
	return k.value.text()
}

// Set parses text and sets the value; if that fails, the value stays as it is. Config.Validate
// checks ranges and choices, for all keys together.
func (k Key) Set(text string) error {
	if k.value.parse(text) != nil {
		return k.expected()
	}
	return nil
}

// setTOML sets the value to v, as the TOML decoder produced it for an untyped destination. An
// integer is a number too; nothing else is converted.
func (k Key) setTOML(v any) error {
	if !k.value.decode(v) {
		return k.expected()
	}
	return nil
}

func (k Key) expected() error { return fmt.Errorf("expected %s", k.value.kind().expected) }

// Type describes the value for help: its choices, or its kind.
func (k Key) Type() string {
	if len(k.Choices) > 0 {
		return strings.Join(k.Choices, "|")
	}
	return k.value.kind().name
}

// IsBoolFlag reports whether the flag can be given without a value, as flag packages ask.
func (k Key) IsBoolFlag() bool {
	_, isBool := k.value.(*boolean)
	return isBool
}
