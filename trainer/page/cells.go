package page

import (
	"fmt"
	"strings"

	"github.com/plume-ml/plume/trainer/data/columns"
)

const (
	mostCells   = 8  // of a row of a table
	mostLetters = 24 // of a cell
)

// cells is a row of a table for readers, a column to a line.
func cells(t *columns.Table, i int) string {
	var lines []string
	for c := range t.Schema.Columns {
		of := &t.Schema.Columns[c]
		if !of.Kind.Modelled() {
			continue
		}
		if len(lines) == mostCells {
			lines = append(lines, "…")
			break
		}
		text := t.Text(i, c)
		if letters := []rune(text); len(letters) > mostLetters {
			text = string(letters[:mostLetters-1]) + "…"
		}
		lines = append(lines, fmt.Sprintf("%s: %s", of.Name, text))
	}
	return strings.Join(lines, "\n")
}
