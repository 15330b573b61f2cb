package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Key is one key of a Config: its documentation, and a handle on its value. It has the
// methods of a flag's value (String, Set, Type, IsBoolFlag), so it can be bound to a flag.
type Key struct {
	Name    string   // as in the configuration file: step_size
	Group   string   // the heading under which help and files list it
	Help    string   // one line, with the unit
	Choices []string // what a string may be, where that is a closed set

	ptr any // into the Config: *bool, *int, *uint64, *float64, *string, *[]int or *Every
}

// Flag is the key's flag without its dashes: step-size.
func (k Key) Flag() string { return strings.ReplaceAll(k.Name, "_", "-") }

// Env is the key's environment variable: PLUME_STEP_SIZE.
func (k Key) Env() string { return "PLUME_" + strings.ToUpper(k.Name) }

// Keys returns the keys of c in the order of its fields. They point into c.
func (c *Config) Keys() []Key {
	keys := appendKeys(nil, reflect.ValueOf(c).Elem())
	group := ""
	for i := range keys {
		if keys[i].Group == "" {
			keys[i].Group = group
		}
		group = keys[i].Group
	}
	return keys
}

func appendKeys(keys []Key, v reflect.Value) []Key {
	for field, value := range v.Fields() {
		if field.Anonymous {
			keys = appendKeys(keys, value)
			continue
		}
		key := Key{
			Name:  field.Tag.Get("toml"),
			Group: field.Tag.Get("group"),
			Help:  field.Tag.Get("help"),
			ptr:   value.Addr().Interface(),
		}
		if choices := field.Tag.Get("choices"); choices != "" {
			key.Choices = strings.Split(choices, ",")
		}
		keys = append(keys, key)
	}
	return keys
}

// Key returns the key of that name, which must exist.
func (c *Config) Key(name string) Key {
	for _, key := range c.Keys() {
		if key.Name == name {
			return key
		}
	}
	panic("config: no such key")
}

// String is the value as Set reads it; floats in the shortest form that gives them back.
func (k Key) String() string {
	switch p := k.ptr.(type) {
	case *float64:
		return strconv.FormatFloat(*p, 'g', -1, 64)
	case *[]int:
		text := make([]string, len(*p))
		for i, n := range *p {
			text[i] = strconv.Itoa(n)
		}
		return strings.Join(text, ",")
	case nil: // the zero Key, which the flag package may make
		return ""
	default:
		return fmt.Sprint(k.value())
	}
}

// value is the value behind the key as TOML expresses it; a list is never nil, which it could not.
func (k Key) value() any {
	if e, ok := k.ptr.(*Every); ok {
		return e.toml()
	}
	v := reflect.ValueOf(k.ptr).Elem()
	if v.Kind() == reflect.Slice && v.IsNil() {
		return []int{}
	}
	return v.Interface()
}

// Set parses text into the value and leaves the value alone when it cannot. Ranges and
// choices are checked by Config.Validate, which sees all keys together.
func (k Key) Set(text string) (err error) {
	switch p := k.ptr.(type) {
	case *bool:
		err = parse(p, text, strconv.ParseBool)
	case *int:
		err = parse(p, text, strconv.Atoi)
	case *uint64:
		err = parse(p, text, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
	case *float64:
		err = parse(p, text, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case *[]int:
		err = parse(p, text, parseInts)
	case *Every:
		err = parse(p, text, parseEvery)
	case *string:
		*p = text
	default:
		panic("config: key of an unknown type")
	}
	if err != nil {
		return fmt.Errorf("expected %s", k.expected())
	}
	return nil
}

func parse[T any](dst *T, text string, f func(string) (T, error)) error {
	v, err := f(strings.TrimSpace(text))
	if err == nil {
		*dst = v
	}
	return err
}

// parseInts reads "256,512"; brackets around the list are allowed, nothing is the empty list.
func parseInts(text string) ([]int, error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if text, ok = strings.CutSuffix(inner, "]"); !ok {
			return nil, errors.New("no closing bracket")
		}
	}
	list := []int{}
	if strings.TrimSpace(text) == "" {
		return list, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// setTOML sets the value to v, as the TOML decoder produced it for an untyped destination. An
// integer is a number too; nothing else is converted.
func (k Key) setTOML(v any) error {
	ok := false
	switch p := k.ptr.(type) {
	case *bool:
		ok = assign(p, v)
	case *string:
		ok = assign(p, v)
	case *float64:
		if n, isInt := v.(int64); isInt {
			v = float64(n)
		}
		ok = assign(p, v)
	case *int:
		ok = assignInt(p, v)
	case *uint64:
		if n, isInt := v.(int64); isInt && n >= 0 {
			*p, ok = uint64(n), true
		}
	case *Every:
		ok = p.setTOML(v)
	case *[]int:
		var items []any
		if ok = assign(&items, v); ok {
			list := make([]int, len(items))
			for i, item := range items {
				ok = ok && assignInt(&list[i], item)
			}
			*p = list
		}
	}
	if !ok {
		return fmt.Errorf("expected %s", k.expected())
	}
	return nil
}

func assign[T any](dst *T, v any) bool {
	t, ok := v.(T)
	if ok {
		*dst = t
	}
	return ok
}

func assignInt(dst *int, v any) bool {
	n, ok := v.(int64)
	ok = ok && int64(int(n)) == n
	if ok {
		*dst = int(n)
	}
	return ok
}

func (k Key) expected() string {
	switch k.ptr.(type) {
	case *bool:
		return "true or false"
	case *int:
		return "an integer"
	case *uint64:
		return "an integer, 0 or more"
	case *float64:
		return "a number"
	case *[]int:
		return "a list of integers, such as 256,512"
	case *Every:
		return "an integer of epochs, or a time such as 10m or 90s"
	}
	return "text"
}

// Type is what help prints for the value: its choices, or what kind of value it is.
func (k Key) Type() string {
	if len(k.Choices) > 0 {
		return strings.Join(k.Choices, "|")
	}
	switch k.ptr.(type) {
	case *bool:
		return "bool"
	case *int, *uint64:
		return "int"
	case *float64:
		return "float"
	case *[]int:
		return "ints"
	case *Every:
		return "epochs|time"
	}
	return "string"
}

// IsBoolFlag tells flag packages that the flag may stand without a value.
func (k Key) IsBoolFlag() bool {
	_, isBool := k.ptr.(*bool)
	return isBool
}
