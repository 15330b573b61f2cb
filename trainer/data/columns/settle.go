package columns

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// settle decides what a column is, unless that is given, and completes it.
func (f *inference) settle(c *Column, of *profile) error {
	c.MissingText = cmp.Or(c.MissingText, of.missingText)
	switch {
	case c.Kind == "":
		if err := f.guess(c, of); err != nil {
			return err
		}
	case c.complete(): // as it was given
		return nil
	case of.known == 0:
		c.Kind = Empty
	case c.Kind.isNumber() && of.isConstant():
		c.Kind = Constant
	}
	return f.complete(c, of)
}

// complete sets what is not given of a column of a known kind.
func (f *inference) complete(c *Column, of *profile) error {
	switch c.Kind {
	case Constant:
		if !of.isConstant() {
			return fmt.Errorf("is to be constant and has different cells, such as %q; expected "+
				"kind = \"ignore\" to leave it out", of.anyCell())
		}
		c.Value = of.anyCell()
	case Numeric, Integer:
		c.DecimalComma = of.comma != ""
		c.MinDecimals, c.MaxDecimals = of.minDec, of.maxDec
	case Boolean:
		return c.setTruths(of)
	case Date:
		return c.setFormat(of)
	case Categorical, Label:
		return c.setCategories(of, f.parserOf(c).comma)
	}
	return nil
}

func (f *inference) parserOf(c *Column) *parser {
	return f.parsers[slices.IndexFunc(f.parsers, func(p *parser) bool { return p.c == c })]
}

// anyCell returns a text of the column; of a constant one, its only one or one of the same number.
func (p *profile) anyCell() string {
	if len(p.numbers.first) > 0 {
		return p.numbers.first[0].cell
	}
	for _, t := range []tallied{p.words, p.dated} {
		if len(t.first) > 0 {
			return t.first[0].cell
		}
	}
	return ""
}

// isConstant reports whether all known cells are the same.
func (p *profile) isConstant() bool {
	if p.known == p.numbers.count {
		return p.min == p.max
	}
	return len(p.distinct.cells) == 1
}

// setTruths finds the words of a boolean column.
func (c *Column) setTruths(of *profile) error {
	if c.True != "" {
		return nil
	}
	for cell := range of.distinct.cells {
		_, isTrue, ok := truthOf(cell)
		switch {
		case !ok:
			return fmt.Errorf("is to be boolean and holds %q; expected true = \"...\" and false = "+
				"\"...\" with its two words", cell)
		case isTrue && (c.True == "" || cell < c.True):
			c.True = cell
		case !isTrue && (c.False == "" || cell < c.False):
			c.False = cell
		}
	}
	if c.True == "" || c.False == "" {
		c.Kind, c.Value = Constant, c.True+c.False
		c.True, c.False = "", ""
	}
	return nil
}

// setFormat finds the format of dates.
func (c *Column) setFormat(of *profile) error {
	switch {
	case c.Format != "":
		return nil
	case of.from == Date:
		c.Format = map[float64]string{
			24 * 3600: "%Y-%m-%d", 1: "%Y-%m-%d %H:%M:%S", 1e-6: "%Y-%m-%d %H:%M:%S.%f",
		}[of.finest]
		return nil
	}
	if of.dates.count != of.known {
		return fmt.Errorf("is to be a date, and the format of its cells is not known, such as %q; "+
			"expected format = \"...\" as strftime has it, such as %%Y%%m%%d", of.anyCell())
	}
	format, other := of.dates.format()
	if other != "" {
		return fmt.Errorf("holds dates such as %q whose order of day and month cannot be told; "+
			"expected it in a schema file (--schema):%s", of.dates.first,
			c.remedy(`kind = "date"`, fmt.Sprintf("format = %q # or %q", format, other)))
	}
	c.Format = format
	return nil
}

// setCategories collects the categories.
func (c *Column) setCategories(of *profile, comma bool) error {
	if c.Categories != nil {
		return nil
	}
	if of.distinct.cells == nil {
		return fmt.Errorf("is to be %s and has more than %d different cells; expected fewer, or "+
			"another kind:%s", c.Kind, mostAskedCategories, c.remedy(`kind = "ignore"`))
	}
	for cell := range of.distinct.cells {
		c.Categories = append(c.Categories, cell)
	}
	sortCategories(c.Categories, comma)
	switch {
	case c.Kind == Label && of.fractions && of.numbers.count == of.known:
		return fmt.Errorf("holds measurements, such as %q; expected labels, whole numbers or names",
			of.numbers.first[0].cell)
	case c.Kind == Categorical && len(c.Categories) == 1:
		c.Kind, c.Value, c.Categories = Constant, c.Categories[0], nil
	}
	return nil
}

// sortCategories sorts by value if all are numbers, otherwise by letters.
func sortCategories(list []string, comma bool) {
	value := func(s string) float64 {
		if n, ok := parseNumber(s, comma); ok {
			return n.value
		}
		return math.NaN()
	}
	slices.Sort(list)
	if slices.ContainsFunc(list, func(s string) bool { return math.IsNaN(value(s)) }) {
		return
	}
	slices.SortStableFunc(list, func(a, b string) int {
		switch x, y := value(a), value(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// remedy is what a schema file says of the column, as lines of their own.
func (c *Column) remedy(says ...string) string {
	lines := append([]string{"[[column]]", fmt.Sprintf("name = %q", c.Name)}, says...)
	return "\n  " + strings.Join(lines, "\n  ")
}
