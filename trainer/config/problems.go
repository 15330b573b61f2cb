package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Problems collects the faults of a configuration, one error per key, so that the user sees all of
// them at once.
type Problems []error

// Expect records "key = value: expected ..." unless ok holds.
func (p *Problems) Expect(ok bool, key string, value any, expected string) {
	if !ok {
		p.add(key, value, expected)
	}
}

func (p *Problems) add(key string, value any, expected string) {
	*p = append(*p, fmt.Errorf("%s = %s: expected %s", key, Text(value), expected))
}

// Text is a value as messages show it: text in quotes, lists with commas, as in 8, 8, 4.
func Text(value any) string {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return strconv.Quote(v.String())
	case reflect.Slice:
		if v.Len() == 0 {
			return "nothing"
		}
		items := make([]string, v.Len())
		for i := range items {
			items[i] = fmt.Sprint(v.Index(i))
		}
		return strings.Join(items, ", ")
	}
	return fmt.Sprint(value)
}

// Err returns the problems joined, or nil if there are none.
func (p Problems) Err() error { return errors.Join(p...) }
