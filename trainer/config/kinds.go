package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// value points to a field of a Config. Its implementations are the kinds of values.
type value interface {
	text() string            // the value as parse reads it
	parse(text string) error // sets the value, unless it returns an error
	encode() any             // the value for the TOML encoder
	decode(v any) bool       // sets the value from the TOML decoder's; false: of another type
	kind() kind
	scratch() value // a new value of the same kind
}

// kind describes a value in help and in errors.
type kind struct{ name, expected string }

// set assigns v unless there is an error.
func set[T any](dst *T, v T, err error) error {
	if err == nil {
		*dst = v
	}
	return err
}

// decoded assigns v if it has the type of the destination.
func decoded[T any](dst *T, v any) bool {
	t, ok := v.(T)
	if ok {
		*dst = t
	}
	return ok
}

type boolean bool

func (b *boolean) text() string      { return strconv.FormatBool(bool(*b)) }
func (b *boolean) encode() any       { return bool(*b) }
func (b *boolean) decode(v any) bool { return decoded((*bool)(b), v) }
func (b *boolean) kind() kind        { return kind{"bool", "true or false"} }
func (b *boolean) scratch() value    { return new(boolean) }

func (b *boolean) parse(text string) error {
	v, err := strconv.ParseBool(strings.TrimSpace(text))
	return set((*bool)(b), v, err)
}

type integer int

func (n *integer) text() string   { return strconv.Itoa(int(*n)) }
func (n *integer) encode() any    { return int(*n) }
func (n *integer) kind() kind     { return kind{"int", "an integer"} }
func (n *integer) scratch() value { return new(integer) }

func (n *integer) parse(text string) error {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	return set((*int)(n), v, err)
}

func (n *integer) decode(v any) bool {
	i, ok := v.(int64)
	ok = ok && math.MinInt <= i && i <= math.MaxInt
	if ok {
		*n = integer(i)
	}
	return ok
}

type natural uint64

func (n *natural) text() string   { return strconv.FormatUint(uint64(*n), 10) }
func (n *natural) encode() any    { return uint64(*n) }
func (n *natural) kind() kind     { return kind{"int", "an integer, 0 or more"} }
func (n *natural) scratch() value { return new(natural) }

func (n *natural) parse(text string) error {
	v, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	return set((*uint64)(n), v, err)
}

func (n *natural) decode(v any) bool {
	i, ok := v.(int64)
	ok = ok && i >= 0
	if ok {
		*n = natural(i)
	}
	return ok
}

type number float64

func (x *number) text() string   { return strconv.FormatFloat(float64(*x), 'g', -1, 64) }
func (x *number) encode() any    { return float64(*x) }
func (x *number) kind() kind     { return kind{"float", "a number"} }
func (x *number) scratch() value { return new(number) }

func (x *number) parse(text string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return set((*float64)(x), v, err)
}

func (x *number) decode(v any) bool {
	if n, isInt := v.(int64); isInt {
		v = float64(n)
	}
	return decoded((*float64)(x), v)
}

type integers []int

func (l *integers) kind() kind     { return kind{"ints", "a list of integers, such as 256,512"} }
func (l *integers) scratch() value { return new(integers) }

func (l *integers) text() string {
	items := make([]string, len(*l))
	for i, n := range *l {
		items[i] = strconv.Itoa(n)
	}
	return strings.Join(items, ",")
}

// encode never returns a nil slice: TOML has no null.
func (l *integers) encode() any { return append([]int{}, *l...) }

func (l *integers) parse(text string) error {
	v, err := parseInts(strings.TrimSpace(text))
	return set((*[]int)(l), v, err)
}

func (l *integers) decode(v any) bool {
	items, ok := v.([]any)
	list := make([]int, len(items))
	for i, item := range items {
		ok = ok && (*integer)(&list[i]).decode(item)
	}
	if ok {
		*l = list
	}
	return ok
}

// parseInts reads "256,512", or "[256,512]". The empty text is the empty list.
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

// text is a string, or an enumeration of strings.
type text[T ~string] struct{ p *T }

func (t text[T]) text() string         { return string(*t.p) }
func (t text[T]) parse(s string) error { *t.p = T(s); return nil }
func (t text[T]) encode() any          { return string(*t.p) }
func (t text[T]) kind() kind           { return kind{"string", "text"} }
func (t text[T]) scratch() value       { return text[T]{new(T)} }

func (t text[T]) decode(v any) bool {
	s, ok := v.(string)
	if ok {
		*t.p = T(s)
	}
	return ok
}
