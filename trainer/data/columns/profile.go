package columns

import (
	"math"
)

// Most different words of a categorical column. One that a schema file asks for may have more.
const (
	mostCategories      = 100
	mostAskedCategories = 1000
)

// mixedShare of the known cells must be of another kind for a column to be mixed on purpose: in a
// column of numbers, fewer words are faults.
const mixedShare = 0.1

// profile is what the cells of a column show.
type profile struct {
	known, missing int
	missingText    string // the first text that stands for a missing cell

	numbers, dated, words tallied // of the known cells
	codes                 int     // of the words: digits that are no number
	shortDates            int     // of the words: dates with a year of two digits

	min, max       float64
	fractions      bool // there is a number that is not whole
	minDec, maxDec int
	comma, point   string // the place of the first number with such a mark
	unbroken       bool   // the numbers count the rows, from 0 or 1

	from     Kind    // as the source says
	layout   string  // of the source's dates
	finest   float64 // resolution of these dates: a day, a second or a microsecond
	dates    dates
	distinct distinct
	bytes    int64 // of the known cells as texts
}

// tallied counts cells, and keeps the first.
type tallied struct {
	count int
	first []placed
}

type placed struct{ place, cell string }

func (t *tallied) add(place func() string, cell string) {
	const kept = 3
	if t.count++; len(t.first) < kept {
		t.first = append(t.first, placed{place(), cell})
	}
}

// distinct is the different texts of a column, up to a number.
type distinct struct {
	most  int
	cells map[string]bool // nil: there are more
}

func newDistinct(most int) distinct { return distinct{most, map[string]bool{}} }

func (d *distinct) add(cell string) {
	if d.cells == nil || d.cells[cell] {
		return
	}
	if len(d.cells) == d.most {
		d.cells = nil
		return
	}
	d.cells[string(append([]byte(nil), cell...))] = true // not the memory of its line
}

// newProfile returns the profile of no cells. from is what the source says of the column, and most
// how many different texts are kept.
func newProfile(from Column, most int) *profile {
	p := &profile{
		min: math.Inf(1), max: math.Inf(-1), minDec: math.MaxInt, unbroken: true,
		from: from.Kind, finest: resolution(""), distinct: newDistinct(most),
	}
	if from.Kind == Date {
		p.layout, _ = layout(from.Format) // newParser has checked it
	}
	return p
}

// take adds a known cell. row is its number, from 0.
func (p *profile) take(cell string, row int, comma bool, place func() string) {
	p.known++
	p.bytes += int64(len(cell))
	p.distinct.add(cell)
	switch p.from {
	case Text:
		p.words.add(place, cell)
		return
	case Date:
		p.dated.add(place, cell)
		p.takeDate(cell)
		return
	}
	if n, ok := parseNumber(cell, comma); ok {
		p.numbers.add(place, cell)
		p.takeNumber(n, row, place)
		return
	}
	p.unbroken = false
	// A column of words is not searched for dates to its end.
	const search = 1000
	if (p.dates.count > 0 || p.words.count < search) && p.dates.take(cell) {
		p.dated.add(place, cell)
		return
	}
	p.words.add(place, cell)
	if isCode(cell) {
		p.codes++
	}
	if isShortDate(cell) {
		p.shortDates++
	}
}

// takeDate finds out how fine the dates of a source are.
func (p *profile) takeDate(cell string) {
	switch v, _ := parseDate(cell, p.layout); {
	case math.Mod(v, 24*3600) == 0:
	case isWhole(v):
		p.finest = min(p.finest, 1)
	default:
		p.finest = 1e-6
	}
}

func (p *profile) takeNumber(n number, row int, place func() string) {
	p.min, p.max = min(p.min, n.value), max(p.max, n.value)
	p.fractions = p.fractions || !isWhole(n.value)
	p.minDec, p.maxDec = min(p.minDec, n.decimals), max(p.maxDec, n.decimals)
	if n.comma && p.comma == "" {
		p.comma = place()
	}
	if n.point && p.point == "" {
		p.point = place()
	}
	p.unbroken = p.unbroken && (p.min == 0 || p.min == 1) && n.value == p.min+float64(row)
}
