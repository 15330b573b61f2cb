package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// rule says which values are in range.
type rule[T any] struct {
	values string // in words
	// expected returns what is expected instead of a value that is out of range; "" for one in
	// range.
	expected func(v T) string
}

// expect returns the rule that ok must hold.
func expect[T any](expected string, ok func(v T) bool) rule[T] {
	return rule[T]{expected, func(v T) string {
		if ok(v) {
			return ""
		}
		return expected
	}}
}

// anyBool is the rule of a type all of whose values are in range.
var anyBool = expect("true or false", func(bool) bool { return true })

// both applies the second rule, which refuses hardly any value, to those that the first accepts.
func both[T any](first, second rule[T]) rule[T] {
	return rule[T]{first.values, func(v T) string {
		if expected := first.expected(v); expected != "" {
			return expected
		}
		return second.expected(v)
	}}
}

func between(low, high int) rule[int] {
	return expect(fmt.Sprintf("an integer in [%d, %d]", low, high),
		func(v int) bool { return low <= v && v <= high })
}

func oneOf[T ~string](choices []T) rule[T] {
	return expect("one of "+strings.Join(Names(choices), ", "),
		func(v T) bool { return slices.Contains(choices, v) })
}

// Intervals of numbers; NaN is in none of them.
var (
	unitClosed  = expect("a number in [0, 1]", func(v float64) bool { return v >= 0 && v <= 1 })
	unitNotOne  = expect("a number in [0, 1)", func(v float64) bool { return v >= 0 && v < 1 })
	unitNotZero = expect("a number in (0, 1]", func(v float64) bool { return v > 0 && v <= 1 })
	unitOpen    = expect("a number in (0, 1)", func(v float64) bool { return v > 0 && v < 1 })
)

// single is the rule of numbers that must be finite in single precision, too.
var single = expect("at most 3.4e+38, the largest number in single precision",
	func(v float64) bool { return v <= math.MaxFloat32 })

var positive = both(expect("a finite number above 0",
	func(v float64) bool { return v > 0 && !math.IsInf(v, 1) }), single)

var nonNegative = both(expect("a finite number, 0 or more",
	func(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }), single)

func plain(what string) rule[string] {
	return expect(what+" in UTF-8, without control characters", IsPlainText)
}

// IsPlainText reports whether s is UTF-8 without control characters, as paths and names must be.
func IsPlainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
