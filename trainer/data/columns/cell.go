package columns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/suggest"
)

// DefaultMissing are the texts that stand for a missing cell beside the empty one, unless a schema
// file gives others: those of pandas.read_csv, and "?" and "NaT".
var DefaultMissing = []string{
	"NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL",
	"null", "None", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN", "?", "NaT",
}

// truths are the words of booleans, false and true, in lower case.
var truths = [][2]string{
	{"0", "1"}, {"false", "true"}, {"no", "yes"}, {"f", "t"}, {"n", "y"}, {"0.0", "1.0"},
}

// truthOf returns which of the pairs of truths a word is of, and whether it is the second.
func truthOf(word string) (pair int, isTrue, ok bool) {
	word = strings.ToLower(word)
	for i, t := range truths {
		if word == t[0] || word == t[1] {
			return i, word == t[1], true
		}
	}
	return 0, false, false
}

// parser reads the cells of a column whose kind is known.
type parser struct {
	c       *Column
	comma   bool // numbers may have a decimal comma
	layout  string
	missing map[string]bool
	number  []float64 // that are missing values
	index   map[string]int
}

// newParser returns the parser of a column in a source that describes it as from.
func (s *Schema) newParser(c *Column, from Column, delimiter string) (*parser, error) {
	p := &parser{
		c: c, comma: c.DecimalComma || hasComma(delimiter), missing: map[string]bool{"": true},
	}
	for _, text := range slices.Concat(s.Missing, c.Missing) {
		p.missing[text] = true
		if n, ok := parseNumber(text, p.comma); ok {
			p.number = append(p.number, n.value)
		}
	}
	format := c.Format
	if from.Kind == Date {
		format = from.Format
	}
	if c.Kind == Date {
		var err error
		if p.layout, err = readLayout(format); err != nil {
			return nil, err
		}
	}
	if c.Kind.hasCategories() {
		p.index = make(map[string]int, len(c.Categories))
		for i, category := range c.Categories {
			p.index[category] = i
		}
	}
	return p, nil
}

// hasComma reports whether numbers may have a decimal comma in a CSV file with that delimiter.
func hasComma(delimiter string) bool { return delimiter != "," && delimiter != "" }

// isMissing reports whether a cell is missing: numbers count by value, so that -999 is -999.0.
func (p *parser) isMissing(cell string) bool {
	if p.missing[cell] {
		return true
	}
	if len(p.number) == 0 {
		return false
	}
	n, ok := parseNumber(cell, p.comma)
	return ok && slices.Contains(p.number, n.value)
}

// value returns the value of a cell that is not missing, as in Table.Values.
func (p *parser) value(cell string) (float64, error) {
	c := p.c
	switch c.Kind {
	case Numeric, Integer:
		n, ok := parseNumber(cell, p.comma)
		if ok && (c.Kind == Numeric || isWhole(n.value)) {
			return n.value, nil
		}
	case Date:
		if v, ok := parseDate(cell, p.layout); ok {
			return v, nil
		}
	case Boolean:
		if cell == c.True || cell == c.False {
			return truth(cell == c.True), nil
		}
		if _, isTrue, ok := truthOf(cell); ok {
			return truth(isTrue), nil
		}
	case Categorical, Label:
		if i, ok := p.index[cell]; ok {
			return float64(i), nil
		}
		if i := p.sameNumber(cell); i >= 0 {
			return float64(i), nil
		}
		return 0, p.unknown(cell)
	case Constant:
		return 0, nil
	default:
		return missing, nil
	}
	return 0, fmt.Errorf("is %q; expected %s, or an empty cell where it is missing%s", cell,
		p.expected(), hint(cell))
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// sameNumber returns the category that is the same number as a cell, written in another way; -1 if
// there is none.
func (p *parser) sameNumber(cell string) int {
	n, ok := parseNumber(cell, p.comma)
	if !ok {
		return -1
	}
	return slices.IndexFunc(p.c.Categories, func(category string) bool {
		m, ok := parseNumber(category, p.comma)
		return ok && m.value == n.value
	})
}

func (p *parser) expected() string {
	switch p.c.Kind {
	case Integer:
		return "a whole number"
	case Date:
		return "a date of the format " + p.c.Format
	case Boolean:
		return fmt.Sprintf("%s or %s", p.c.False, p.c.True)
	}
	return "a number"
}

// hint says what may be meant by a cell that is no number.
func hint(cell string) string {
	if missing := fmt.Sprintf("[%q]", cell); len(cell) < 20 {
		return fmt.Sprintf(" (missing = %s in the schema file makes it one)", missing)
	}
	return ""
}

// unknown is the error of a category that is not known.
func (p *parser) unknown(cell string) error {
	const most = 12
	known := p.c.Categories
	list := strings.Join(known[:min(most, len(known))], ", ")
	if len(known) > most {
		list += ", ..."
	}
	return fmt.Errorf("is %q, which is none of its %s%s: %s; expected one of them, or an empty "+
		"cell, which counts as missing", cell, count(len(known), "category"),
		suggest.DidYouMean(cell, known), list)
}
