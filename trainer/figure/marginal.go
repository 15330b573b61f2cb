package figure

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
)

const (
	mostBins       = 30
	mostCategories = 8
	share          = "share (%)"
)

// marginal draws the distribution of a column in both tables.
func (c Column) marginal() *chart {
	if c.Categories != nil {
		return c.bars()
	}
	p := panel()
	p.X.Label.Text, p.Y.Label.Text = c.label(34), share
	p.X.Marker, p.Y.Marker = ticks{column: c}, ticks{}
	c.steps(p)
	return p
}

// steps adds the histograms of the column in both tables to a diagram.
func (c Column) steps(p *chart) {
	edges := c.edges()
	for i, values := range c.Values {
		p.Add(lineOf(stairs(edges, shares(edges, known(values))), colours[i]))
	}
	fromZero(&p.Y)
}

// fromZero lets an axis of shares begin at 0, and end a little above the largest.
func fromZero(a *axis) { a.Min, a.Max = 0, 1.05*a.Max }

// edges are the borders of the bins of a histogram. They hold all values of both tables but the
// outermost ones of columns with long tails, which count in the first and in the last bin. A bin of
// integers holds as many of them as any other.
func (c Column) edges() (edges []float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, values := range c.Values {
		x := known(values)
		slices.Sort(x)
		l, h := within(x)
		low, high = min(low, l), max(high, h)
	}
	width := (high - low) / mostBins
	if c.Scale == Integer {
		low, high = math.Floor(low)-0.5, math.Ceil(high)+0.5
		width = math.Ceil((high - low) / mostBins)
	}
	if !(width > 0) {
		width = max(1e-3, 1e-3*math.Abs(low))
		low, high = low-width, high+width
	}
	bins := int(math.Ceil((high-low)/width - 1e-9))
	for i := range bins + 1 {
		edges = append(edges, low+float64(i)*width)
	}
	return edges
}

// within is the range that a histogram of sorted values shows: all of it, unless the outermost
// hundredth on a side would take more than a third of the picture.
func within(x []float64) (low, high float64) {
	last := len(x) - 1
	low, high = x[last/100], x[last-last/100]
	middle := high - low
	if low-x[0] <= middle/2 || middle == 0 {
		low = x[0]
	}
	if x[last]-high <= middle/2 || middle == 0 {
		high = x[last]
	}
	return low, high
}

// shares are the percentages of the values in the bins.
func shares(edges, values []float64) []float64 {
	out := make([]float64, len(edges)-1)
	for _, v := range values {
		i := int((v - edges[0]) / (edges[1] - edges[0]))
		out[min(max(i, 0), len(out)-1)] += 100 / float64(len(values))
	}
	return out
}

// stairs is the outline of a histogram.
func stairs(edges, heights []float64) []point {
	xy := []point{{X: edges[0]}}
	for i, h := range heights {
		xy = append(xy, point{X: edges[i], Y: h}, point{X: edges[i+1], Y: h})
	}
	return append(xy, point{X: edges[len(edges)-1]})
}

// bars draws the shares of the categories, the most frequent ones of the first table at the top,
// and of all others together.
func (c Column) bars() *chart {
	names, heights := c.frequent()
	p := panel()
	p.X.Label.Text = c.label(26) + ", " + share
	p.X.Marker = ticks{}
	rows := len(names)
	thick := vg.Length(0.36 * float64(panelHeight-46) / float64(rows))
	thick = min(thick, 9)
	for i := range heights {
		slices.Reverse(heights[i]) // the first one is at the top
		p.Add(&bars{heights[i], colours[i], thick, thick * vg.Length(0.5-float64(i))})
	}
	slices.Reverse(names)
	p.NominalY(names...)
	p.Y.TickSize = 6.5
	fromZero(&p.X)
	p.Y.Min, p.Y.Max = -0.6, float64(rows)-0.4
	return p
}

// frequent are the categories that the first table has most, in that order, with their percentages
// in both tables.
func (c Column) frequent() (names []string, heights [2][]float64) {
	var counts [2][]float64
	for i, values := range c.Values {
		counts[i] = make([]float64, len(c.Categories))
		x := known(values)
		for _, v := range x {
			counts[i][int(v)] += 100 / float64(len(x))
		}
	}
	order := make([]int, len(c.Categories))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(counts[0][b], counts[0][a])
	})
	shown := len(order)
	if shown > mostCategories {
		shown = mostCategories - 1
	}
	for _, k := range order[:shown] {
		names = append(names, shorten(c.Categories[k], 12))
		for i := range heights {
			heights[i] = append(heights[i], counts[i][k])
		}
	}
	if shown < len(order) {
		names = append(names, "others")
		for i := range heights {
			sum := 0.0
			for _, k := range order[shown:] {
				sum += counts[i][k]
			}
			heights[i] = append(heights[i], sum)
		}
	}
	return names, heights
}
