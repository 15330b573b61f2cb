package figure

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg/draw"
)

const (
	mostPairs  = 5
	mostPoints = 800 // of a table in a panel
	pointSize  = 1.1 // points
)

// Pairs draws each pair of the first 5 columns as points, of both tables in their colours, and each
// column alone, as shares without a scale, on the diagonal. Categories are spread a little. The
// picture is 1,200 pixels wide.
func (t Tables) Pairs() (image.Image, error) {
	var columns []Column
	for _, c := range t.Columns {
		if len(columns) < mostPairs && len(known(c.Values[0])) > 0 && len(known(c.Values[1])) > 0 {
			columns = append(columns, c)
		}
	}
	if len(columns) < 2 {
		return nil, ErrEmpty
	}
	plots := make([][]*chart, len(columns))
	for i, y := range columns {
		plots[i] = make([]*chart, len(columns))
		for j, x := range columns[:i+1] {
			p := pair(x, y, i == j)
			p.X.Marker = ticks{column: x, bare: i < len(columns)-1}
			p.Y.Marker = ticks{column: y, bare: j > 0}
			if i == len(columns)-1 {
				p.X.Label.Text = x.label(24)
				turnLong(p, x)
			}
			if j == 0 && i > 0 {
				p.Y.Label.Text = shorten(y.Name, 22)
			}
			if i == j {
				p.Y.Marker = ticks{bare: true}
			}
			plots[i][j] = p
		}
	}
	const width = panelColumns * panelWidth
	canvas, all := newCanvas(width, 0.85*width)
	layout(plots, all, 5)
	half := (all.Max.X - all.Min.X) / 2
	legend(draw.Crop(all, half, 0, all.Max.Y-2*legendHigh, 0), t.Names[:])
	return canvas.Image(), nil
}

// pair draws two columns against each other, or one alone.
func pair(x, y Column, alone bool) *chart {
	p := panel()
	if alone {
		x.alone(p)
		return p
	}
	var sets [2][]point
	most := min(mostPoints, len(x.Values[0]), len(x.Values[1])) // as many of both
	for i := range sets {
		for row, v := range x.Values[i] {
			if w := y.Values[i][row]; !math.IsNaN(v+w) && len(sets[i]) < most {
				sets[i] = append(sets[i], point{
					X: x.spread(v, row, math.Phi), Y: y.spread(w, row, math.Sqrt2),
				})
			}
		}
	}
	// In turns, so that no table hides the other.
	const turns = 8
	for turn := range turns {
		for i, set := range sets {
			lo, hi := turn*len(set)/turns, (turn+1)*len(set)/turns
			if lo < hi {
				p.Add(dotsOf(set[lo:hi], colours[i]))
			}
		}
	}
	for _, a := range []struct {
		axis   *axis
		column Column
	}{{&p.X, x}, {&p.Y, y}} {
		a.axis.Min, a.axis.Max = a.column.limits()
	}
	return p
}

// turnLong writes the names of more than two categories upwards, so that they do not touch.
func turnLong(p *chart, c Column) {
	if len(c.Categories) > 2 {
		p.X.TickSize = 6
		p.X.Upright = true
	}
}

// alone adds the distribution of the column to a diagram.
func (c Column) alone(p *chart) {
	if c.Categories == nil {
		c.steps(p)
	} else {
		edges := make([]float64, len(c.Categories)+1)
		for i := range edges {
			edges[i] = float64(i) - 0.5
		}
		for i, values := range c.Values {
			p.Add(lineOf(stairs(edges, shares(edges, known(values))), colours[i]))
		}
		fromZero(&p.Y)
	}
	p.X.Min, p.X.Max = c.limits()
}

// limits are the ends of an axis of the column.
func (c Column) limits() (low, high float64) {
	if c.Categories != nil {
		return -0.5, float64(len(c.Categories)) - 0.5
	}
	edges := c.edges()
	low, high = edges[0], edges[len(edges)-1]
	margin := 0.03 * (high - low)
	return low - margin, high + margin
}

// spread moves the points of a category apart, always alike: by a sequence that fills an interval
// evenly (the multiples of an irrational number, without their whole part).
func (c Column) spread(v float64, row int, irrational float64) float64 {
	wide := 0.0
	switch {
	case c.Categories != nil:
		wide = 0.6
	case c.Scale == Integer:
		wide = 0.3
	}
	_, part := math.Modf(float64(row) * irrational)
	return v + wide*(part-0.5)
}

// Agreement draws each of the first 12 columns of numbers with the first table's values across and
// the second one's upwards, row by row: those of the same rows agree on the line. The picture is
// 1,200 pixels wide.
func (t Tables) Agreement() (image.Image, error) {
	var panels []*chart
	for _, c := range t.Columns {
		if c.Categories != nil || len(panels) == mostPanels {
			continue
		}
		if p := c.agreement(t.Names); p != nil {
			panels = append(panels, p)
		}
	}
	if len(panels) == 0 {
		return nil, ErrEmpty
	}
	return arrange(panels, nil), nil
}

// agreement draws one column of Agreement; nil if no row has both values.
func (c Column) agreement(names [2]string) *chart {
	var xy []point
	for row, v := range c.Values[0] {
		if w := c.Values[1][row]; !math.IsNaN(v+w) && len(xy) < mostPoints {
			xy = append(xy, point{X: v, Y: w})
		}
	}
	if len(xy) == 0 {
		return nil
	}
	p := panel()
	p.X.Label.Text = shorten(c.Name, 20) + ", " + names[0]
	p.Y.Label.Text = names[1]
	p.X.Marker, p.Y.Marker = ticks{column: c}, ticks{column: c}
	low, high := c.limits()
	line := lineOf([]point{{X: low, Y: low}, {X: high, Y: high}}, color.Black)
	line.style.Width = 0.5
	p.Add(line, dotsOf(xy, colours[0]))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = low, high, low, high
	return p
}
