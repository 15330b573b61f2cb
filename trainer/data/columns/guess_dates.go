package columns

import (
	"slices"
	"strings"
	"unicode"
)

// dateFormats are the formats of dates that are recognised. Where day and month are both numbers,
// dates with points have the day first, and others are ambiguous.
var dateFormats = withTimes(
	"%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y",
	"%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y",
	"%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d. %B %Y",
	"%-d.%-m.%Y", "%-d/%-m/%Y", "%-m/%-d/%Y",
	"%-d %b %Y", "%-d-%b-%Y", "%b %-d, %Y", "%-d %B %Y", "%B %-d, %Y", "%-d. %B %Y",
)

// withTimes returns the formats of days, and those of times on them.
func withTimes(days ...string) (formats []string) {
	formats = slices.Clone(days)
	for _, day := range days {
		for _, at := range []string{
			" %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S.%f",
		} {
			formats = append(formats, day+at)
			if at[0] == 'T' || strings.HasSuffix(at, "%S") || strings.HasSuffix(at, "%f") {
				formats = append(formats, day+at+"Z", day+at+"%z", day+at+"%:z")
			}
		}
	}
	return formats
}

// dateLayouts are the layouts of package time for dateFormats.
var dateLayouts = func() (layouts []string) {
	for _, format := range dateFormats {
		l, err := layout(format)
		if err != nil {
			panic(err)
		}
		layouts = append(layouts, l)
	}
	return layouts
}()

// dates finds the format of the dates in a column.
type dates struct {
	formats []int  // indices in dateFormats of those that all dates so far have; nil: no dates
	first   string // the first date
	count   int
}

// take reports whether a cell is a date of a format that all dates before it have, too.
func (d *dates) take(cell string) bool {
	if !mayBeDate(cell) {
		return false
	}
	var left []int
	if d.count == 0 {
		for i := range dateFormats {
			if isDate(cell, i) {
				left = append(left, i)
			}
		}
	} else {
		for _, i := range d.formats {
			if isDate(cell, i) {
				left = append(left, i)
			}
		}
	}
	if len(left) == 0 {
		return false
	}
	if d.count == 0 {
		d.first = cell
	}
	d.formats = left
	d.count++
	return true
}

// isDate reports whether a cell has a format. The seconds of a layout of package time may have a
// fraction that it does not mention.
func isDate(cell string, format int) bool {
	if point := strings.Contains(dateFormats[format], "%f"); point != hasFraction(cell) {
		return false
	}
	_, ok := parseDate(cell, dateLayouts[format])
	return ok
}

// hasFraction reports whether a point follows the seconds of a time.
func hasFraction(cell string) bool {
	colon := strings.LastIndexByte(cell, ':')
	return colon >= 0 && strings.Contains(cell[strings.IndexByte(cell, ':'):], ".")
}

// mayBeDate refuses most words fast.
func mayBeDate(cell string) bool {
	const shortest, longest = len("1/1/2000"), len("30. September 2000 12:00:00.000000+00:00")
	if len(cell) < shortest || len(cell) > longest {
		return false
	}
	n := 0
	for _, r := range cell {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n >= 5 && n < len(cell)
}

// format returns the format of the dates. other is one with day and month exchanged that they may
// have as well; "" if there is none.
func (d *dates) format() (format, other string) {
	format = dateFormats[d.formats[0]]
	for _, i := range d.formats {
		if other = dateFormats[i]; dayFirst(other) != dayFirst(format) {
			return format, other
		}
	}
	return format, ""
}

// dayFirst reports whether the day is before the month.
func dayFirst(format string) bool {
	return strings.IndexByte(format, 'd') < strings.IndexAny(format, "mbB")
}

// isShortDate reports whether a word looks like a date with a year of two digits, whose order is
// not known.
func isShortDate(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return r == '/' || r == '.' || r == '-' })
	if len(parts) != 3 || len(word) > len("01/01/70") {
		return false
	}
	for _, part := range parts {
		if digits(part) != len(part) || len(part) > 2 {
			return false
		}
	}
	return true
}
