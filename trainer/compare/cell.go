package compare

import (
	"math"
	"strconv"

	"github.com/plume-ml/plume/trainer/record"
)

// Cell is one quantity of one contestant, averaged over its finished runs.
type Cell struct {
	Mean record.Number `json:"mean"`           // NaN without runs
	SD   record.Number `json:"sd"`             // with the divisor N - 1; NaN below two runs
	N    int           `json:"n"`              // runs
	Best bool          `json:"best,omitempty"` // the best mean of the column
	Tied bool          `json:"tied,omitempty"` // not Best, but within one pooled standard error
}

// text formats a cell of the table: "**2.05 ± 0.07**".
func (c Cell) text(column Column, decimals int) string {
	if c.N == 0 {
		return "-"
	}
	format := func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
	if column.Key == keyEvaluations {
		format = count
	}
	text := format(float64(c.Mean))
	if c.N > 1 && !(column.cost() && c.SD == 0) {
		text += " ± " + format(float64(c.SD))
	}
	if c.Best {
		text = "**" + text + "**"
	}
	if c.Tied {
		text += " ≈"
	}
	return text
}

// maxDecimals limits the decimals of a table.
const maxDecimals = 6

// decimalsOf returns the decimals that give a number three significant digits.
func decimalsOf(v float64) int {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(math.Abs(v)))), 0), maxDecimals)
}

// decimals returns the decimals of a column: three significant digits for its smallest mean, unless
// others are larger by orders of magnitude.
func (r *Results) decimals(column int) int {
	switch r.Columns[column].Key {
	case keyEpochs, keySteps:
		return 0
	case keySeconds:
		return 1
	}
	smallest, largest := math.Inf(1), 0.0
	for _, row := range r.Rows {
		if m := math.Abs(float64(row.Cells[column].Mean)); m > 0 {
			smallest, largest = min(smallest, m), max(largest, m)
		}
	}
	return min(decimalsOf(smallest), decimalsOf(largest)+2)
}
