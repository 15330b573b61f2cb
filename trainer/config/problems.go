package config

import (
	"errors"
	"fmt"
	"reflect"
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
	format := "%s = %v: expected %s"
	if reflect.ValueOf(value).Kind() == reflect.String {
		format = "%s = %q: expected %s"
	}
	*p = append(*p, fmt.Errorf(format, key, value, expected))
}

// Err returns the problems joined, or nil if there are none.
func (p Problems) Err() error { return errors.Join(p...) }
