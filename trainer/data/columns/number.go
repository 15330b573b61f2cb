package columns

import (
	"math"
	"strconv"
	"strings"
)

// number is a number as a cell writes it.
type number struct {
	value    float64
	decimals int  // digits after the point, or that there would be without an exponent
	point    bool // it has a decimal point
	comma    bool // it has a decimal comma
}

// mostDigits is the number of digits of whole numbers that a float64 surely holds.
const mostDigits = 15

// parseNumber reads a number: digits with an optional sign, decimal point or, if comma is set,
// decimal comma, and exponent. Digits that a number would lose are none: with zeros before them, as
// in postal codes, or too many of them, as in numbers of accounts.
func parseNumber(text string, comma bool) (number, bool) {
	n := number{}
	rest := strings.TrimLeft(text, "+-")
	if len(text)-len(rest) > 1 {
		return n, false
	}
	whole := digits(rest)
	after := rest[whole:]
	fraction := 0
	if after != "" && (after[0] == '.' || comma && after[0] == ',') {
		n.point, n.comma = after[0] == '.', after[0] == ','
		fraction = digits(after[1:])
		after = after[1+fraction:]
	}
	isCode := whole > 1 && rest[0] == '0' || !n.point && !n.comma && whole > mostDigits
	if whole+fraction == 0 || isCode {
		return n, false
	}
	exponent := 0
	if after != "" {
		if after[0] != 'e' && after[0] != 'E' {
			return n, false
		}
		var err error
		if exponent, err = strconv.Atoi(after[1:]); err != nil {
			return n, false
		}
	}
	if n.comma {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	n.value, n.decimals = v+0, max(0, fraction-exponent)
	return n, err == nil
}

// digits counts the digits at the beginning of a text.
func digits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// isCode reports whether a text is digits that parseNumber takes for no number.
func isCode(text string) bool { return text != "" && digits(text) == len(text) }

func isWhole(v float64) bool { return v == math.Trunc(v) }
