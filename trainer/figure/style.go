package figure

import (
	"math"
	"strconv"
)

// axes marks the logarithmic axes, whose data are logarithms to base 10, and adds margins to both
// axes.
func (p Plot) axes(out *chart) {
	for _, a := range []struct {
		axis        *axis
		logarithmic bool
	}{{&out.X, p.LogX}, {&out.Y, p.LogY}} {
		axis := a.axis
		margin := 0.04 * (axis.Max - axis.Min)
		axis.Marker = even{}
		if a.logarithmic {
			axis.Marker = decades{}
			margin = max(margin, math.Log10(1.03))
		} else if margin == 0 {
			margin = max(1e-3, 0.1*math.Abs(axis.Max))
		}
		axis.Min, axis.Max = axis.Min-margin, axis.Max+margin
	}
}

// A legend is put into the corner where the fewest points are drawn: in the box of this share of
// the diagram.
const legendWidth, legendHeight = 0.5, 0.3

// steps is the number of points at which the line between two points is checked.
const steps = 16

func placeLegend(out *chart, series []shown) {
	var corners [2][2]int // of points: lower and upper, left and right
	count := func(x, y float64) {
		for top, row := range corners {
			for right := range row {
				if math.Abs(x-float64(right)) < legendWidth &&
					math.Abs(y-float64(top)) < legendHeight {
					corners[top][right]++
				}
			}
		}
	}
	for _, s := range series {
		for i, p := range s.xy {
			x, y := out.X.Norm(p.X), out.Y.Norm(p.Y)
			count(x, y)
			if i == 0 || !s.Line {
				continue
			}
			x0, y0 := out.X.Norm(s.xy[i-1].X), out.Y.Norm(s.xy[i-1].Y)
			for k := 1; k < steps; k++ {
				t := float64(k) / steps
				count(x0+t*(x-x0), y0+t*(y-y0))
			}
		}
	}
	best := [2]int{1, 1}
	for _, corner := range [][2]int{{1, 0}, {0, 1}, {0, 0}} {
		if corners[corner[0]][corner[1]] < corners[best[0]][best[1]] {
			best = corner
		}
	}
	out.Legend.Top, out.Legend.Left = best[0] == 1, best[1] == 0
}

// decades marks an axis of logarithms to base 10 with the numbers themselves: at the powers of ten,
// between them if there are few, and as a linear axis if there are none.
type decades struct{}

func (decades) Ticks(low, high float64) []tick {
	span := high - low
	if span < 0.5 {
		return narrow(low, high)
	}
	labelled := map[int]bool{1: true}
	if span < 1 {
		labelled = map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 8: true}
	} else if span < 2.5 {
		labelled = map[int]bool{1: true, 2: true, 5: true}
	}
	every := max(1, int(span/8)) // decades from label to label
	var ticks []tick
	for e := int(math.Floor(low)); e <= int(math.Ceil(high)); e++ {
		for digit := 1; digit <= 9; digit++ {
			tick := tick{Value: float64(e) + math.Log10(float64(digit))}
			if tick.Value < low || tick.Value > high {
				continue
			}
			if labelled[digit] && e%every == 0 {
				tick.Label = strconv.FormatFloat(float64(digit)*math.Pow10(e), 'g', 3, 64)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// narrow marks less than half a decade.
func narrow(low, high float64) []tick {
	const most = 5
	ticks := spaced(math.Pow(10, low), math.Pow(10, high), most)
	inside := ticks[:0]
	for _, t := range ticks {
		if t.Value = math.Log10(t.Value); low <= t.Value && t.Value <= high {
			inside = append(inside, t)
		}
	}
	return inside
}
