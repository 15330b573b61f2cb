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
