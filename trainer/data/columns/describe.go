package columns

import (
	"fmt"
	"strings"
)

// mostDescribed is the number of columns that Describe lists.
const mostDescribed = 60

// counts says how many columns are of each kind: "11 numeric, 2 integer".
func (s *Schema) counts() string {
	var parts []string
	for _, kind := range kinds {
		n := 0
		for i := range s.Columns {
			if s.Columns[i].Kind == kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(parts, ", ")
}

// String is the schema in a few words: "13 columns (11 numeric, 2 integer)".
func (s *Schema) String() string {
	return fmt.Sprintf("%s (%s)", count(len(s.Columns), "column"), s.counts())
}

// Describe lists the columns, one a line, with what they are and how many of the table's cells are
// missing. Of a wide table it lists the first.
func (t *Table) Describe() string {
	var b strings.Builder
	width := 0
	for i := range t.Schema.Columns {
		width = max(width, len([]rune(t.Schema.Columns[i].Name)))
	}
	const widest = 32
	width = min(width, widest)
	for i := range t.Schema.Columns {
		if i == mostDescribed {
			fmt.Fprintf(&b, "  and %s more\n", count(len(t.Schema.Columns)-i, "column"))
			break
		}
		c := &t.Schema.Columns[i]
		fmt.Fprintf(&b, "  %-*s  %-11s  %s", width, c.Name, c.Kind, c.describe())
		if n := t.Missing(i); n > 0 && c.Kind != Empty {
			fmt.Fprintf(&b, "; %s missing", count(n, "cell"))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Missing is the number of missing cells of a column.
func (t *Table) Missing(c int) (n int) {
	if t.Values[c] == nil && t.Texts[c] == nil {
		return t.M
	}
	for _, v := range t.Values[c] {
		if v != v {
			n++
		}
	}
	if t.Values[c] != nil {
		return n
	}
	for _, text := range t.Texts[c] {
		if text == "" || text == t.Schema.Columns[c].MissingText {
			n++
		}
	}
	return n
}

// describe says what the cells of the column are.
func (c *Column) describe() string {
	text := ""
	switch c.Kind {
	case Numeric, Integer, Date:
		text = c.FormatValue(c.Min) + " to " + c.FormatValue(c.Max)
		if c.Unit != "" {
			text += " " + c.Unit
		}
		if c.Transform != Standard && c.Transform != "" {
			text += ", transform " + string(c.Transform)
		}
	case Boolean:
		text = c.False + " or " + c.True
	case Categorical, Label:
		const most = 8
		text = strings.Join(c.Categories[:min(most, len(c.Categories))], ", ")
		if n := len(c.Categories); n > most {
			text = fmt.Sprintf("%d: %s, ...", n, text)
		}
	case Constant:
		text = fmt.Sprintf("always %q; not modelled", c.Value)
	case Empty:
		text = "all cells missing; not modelled"
	case Text:
		text = "too many different words; not modelled"
	case Ignore:
		text = "not modelled"
	}
	return text
}
