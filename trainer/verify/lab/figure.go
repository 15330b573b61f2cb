package lab

import "github.com/plume-ml/plume/trainer/figure"

// Figure is a diagram and the name of its file, without the extension.
type Figure struct {
	Name string
	Plot figure.Plot
}

// Figure keeps a diagram.
func (l *Lab) Figure(name string, p figure.Plot) {
	l.found.Figures = append(l.found.Figures, Figure{Name: name, Plot: p})
}

// Dashed ends the title of a diagram of pairs.
const Dashed = " (dashed: exact)"

// Pair is a series of measured points with 95 % intervals, and the dashed line of the closed form.
func Pair(name string, x, y, se, exact []float64) []figure.Series {
	bars := make([]float64, len(se))
	for i, e := range se {
		bars[i] = Normal95 * e
	}
	return []figure.Series{
		{Name: name, X: x, Y: y, Err: bars, Points: true},
		{X: x, Y: exact, Line: true, Dashed: true, Same: true},
	}
}
