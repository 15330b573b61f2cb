package columns

import (
	"fmt"
	"slices"
	"strings"
)

// guess decides what a column is by its cells, as Infer says.
func (f *inference) guess(c *Column, of *profile) error {
	switch {
	case of.known == 0:
		c.Kind = Empty
	case of.isConstant():
		c.Kind = Constant
	case of.numbers.count == of.known:
		f.guessNumbers(c, of)
	case of.dated.count == of.known:
		c.Kind = Date
	case of.isTruth():
		c.Kind = Boolean
	default:
		return f.guessWords(c, of)
	}
	return nil
}

// counters are names of columns that number the rows, in lower case, beside those that have none.
var counters = []string{
	"", "column1", "c1", "unnamed: 0", "index", "idx", "__index_level_0__", "id", "row", "row_id",
	"rowid", "no", "nr", "#",
}

func (f *inference) guessNumbers(c *Column, of *profile) {
	switch {
	case of.unbroken && slices.Contains(counters, strings.ToLower(c.Name)):
		c.Kind = Ignore
		f.opt.warn("column %q counts the rows from %.0f, and is left out; to model it, say so in "+
			"a schema file (--schema):%s", c.Name, of.min, c.remedy(`kind = "integer"`))
	case of.fractions:
		c.Kind = Numeric
	case of.min == 0 && of.max == 1:
		c.Kind = Boolean
	default:
		c.Kind = Integer
	}
}

// isTruth reports whether the column holds both words of a pair of truths, and no others.
func (p *profile) isTruth() bool {
	first, false0, true0 := -1, false, false
	for cell := range p.distinct.cells {
		pair, isTrue, ok := truthOf(cell)
		if first < 0 {
			first = pair
		}
		if !ok || pair != first {
			return false
		}
		false0, true0 = false0 || !isTrue, true0 || isTrue
	}
	return false0 && true0
}

// guessWords decides about a column of words, or of words among numbers or dates.
func (f *inference) guessWords(c *Column, of *profile) error {
	few := of.distinct.cells != nil && 2*len(of.distinct.cells) <= f.rows
	if err := of.checkMixed(c, few); err != nil {
		return err
	}
	if few {
		c.Kind = Categorical
		return nil
	}
	c.Kind = Text
	if of.words.count == 0 { // numbers and dates
		of.words = of.dated
	}
	switch {
	case 2*of.shortDates > of.known:
		return fmt.Errorf("holds dates such as %q, with years of two digits, whose format cannot "+
			"be told; expected it in a schema file (--schema), with %%d, %%m and %%y in their "+
			"order:%s", of.words.first[0].cell, c.remedy(`kind = "date"`, `format = "%d/%m/%y"`))
	case of.numbers.count > 0 && of.numbers.count+of.codes < of.known:
		f.opt.warn("column %q holds numbers, such as %q, and words, such as %q (%s), and is left "+
			"out as text; if the words stand for missing values, say so in a schema file "+
			"(--schema):%s", c.Name, of.numbers.first[0].cell, of.words.first[0].cell,
			of.words.first[0].place, c.remedy(missingKey(of.words.first)))
	case of.from == Text && of.looksNumeric():
		f.opt.warn("column %q holds numbers as words, such as %q, and is left out as text; to "+
			"model it, say so in a schema file (--schema):%s", c.Name, of.words.first[0].cell,
			c.remedy(`kind = "numeric"`))
	case of.looksNumeric():
		f.opt.warn("column %q holds cells such as %q, which are no numbers as they are written, "+
			"and is left out as text; to model it, write plain numbers such as 1234.5", c.Name,
			of.words.first[0].cell)
	}
	return nil
}

// looksNumeric reports whether the first words are numbers with marks: 1,234 or $5 or 12 %.
func (p *profile) looksNumeric() bool {
	for _, w := range p.words.first {
		plain := strings.NewReplacer(",", "", "'", "", " ", "", "%", "", "$", "", "€", "", "£", "")
		if _, ok := parseNumber(plain.Replace(w.cell), false); !ok || isCode(w.cell) {
			return false
		}
	}
	return len(p.words.first) > 0
}

// checkMixed refuses a column most of whose cells are numbers, or dates, and a few are not, and one
// of few words of which a few are numbers.
func (p *profile) checkMixed(c *Column, few bool) error {
	words := p.words.count + p.dated.count
	switch most := mixedShare * float64(p.known); {
	case p.codes == p.words.count && p.dated.count == 0:
		return nil // numbers of fewer digits among codes
	case p.numbers.count > 0 && float64(words) <= most:
		odd := p.words
		if odd.count == 0 {
			odd = p.dated
		}
		return p.mixed(c, p.numbers.count, "numbers", odd)
	case p.dated.count > 0 && float64(p.known-p.dated.count) <= most:
		odd := p.words
		if odd.count == 0 {
			odd = p.numbers
		}
		return p.mixed(c, p.dated.count, "dates of one format", odd)
	case few && p.numbers.count > 0 && float64(p.numbers.count) <= most:
		return p.mixed(c, p.known-p.numbers.count, "words", p.numbers)
	}
	return nil
}

// mixed is the error of a column whose cells are mostly what, with a few odd ones.
func (p *profile) mixed(c *Column, most int, what string, odd tallied) error {
	var places []string
	for _, o := range odd.first {
		places = append(places, fmt.Sprintf("%s %q", o.place, o.cell))
	}
	if odd.count > len(odd.first) {
		places = append(places, "...")
	}
	return fmt.Errorf("holds %d %s and %s (%s); expected one kind of cells; if the "+
		"others are wrong or stand for missing values, say so in a schema file (--schema), or "+
		"there kind = \"categorical\" if all are categories, and kind = \"ignore\" to leave the "+
		"column out:%s", most, what, count(odd.count, "other cell"), strings.Join(places, ", "),
		c.remedy(missingKey(odd.first)))
}

// missingKey is the key that makes cells missing values.
func missingKey(cells []placed) string {
	var list []string
	for _, o := range cells {
		if text := fmt.Sprintf("%q", o.cell); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return "missing = [" + strings.Join(list, ", ") + "]"
}
