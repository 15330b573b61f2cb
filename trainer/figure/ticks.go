package figure

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// ticks marks few places of an axis, with short labels.
type ticks struct {
	column Column
	bare   bool // without labels
}

// Ticks implements ticker.
func (t ticks) Ticks(low, high float64) (all []tick) {
	switch {
	case t.column.Categories != nil:
		all = t.column.categoryTicks(low, high)
	case t.column.Scale == Dates:
		all = dateTicks(low, high)
	default:
		all = numberTicks(low, high, t.column.Scale == Integer)
	}
	for i := range all {
		if t.bare && all[i].Label != "" {
			all[i].Label = " "
		}
	}
	return all
}

// numberTicks marks an axis with numbers written short, and not with every other one where they are
// long; an axis of few integers with each of them.
func numberTicks(low, high float64, integers bool) (all []tick) {
	const few, mostNumbers = 8, 4
	if integers && high-low <= few {
		for v := math.Ceil(low); v <= high; v++ {
			all = append(all, tick{Value: v, Label: fmt.Sprint(int(v))})
		}
		return all
	}
	letters := 0
	for _, tick := range spaced(low, high, mostNumbers) {
		if tick.Label != "" {
			v, err := strconv.ParseFloat(strconv.FormatFloat(tick.Value, 'g', 5, 64), 64)
			if err != nil || integers && v != math.Trunc(v) {
				continue
			}
			tick.Label = strconv.FormatFloat(v, 'f', -1, 64)
			if a := math.Abs(v); a >= 1e5 || a > 0 && a < 1e-3 {
				tick.Label = exponent.ReplaceAllString(fmt.Sprintf("%.3g", v), "e$1$2")
			}
			letters += len(tick.Label)
		}
		all = append(all, tick)
	}
	const most = 18
	for i, drop := 0, false; i < len(all) && letters > most; i++ {
		if all[i].Label != "" {
			if drop {
				all[i].Label = ""
			}
			drop = !drop
		}
	}
	return all
}

var exponent = regexp.MustCompile(`e[+]?(-?)0*(\d)`)

// dateTicks marks an axis of seconds at three dates.
func dateTicks(low, high float64) (all []tick) {
	layout, span := "2006-01-02", high-low
	const day = 24 * 3600
	switch {
	case span > 5*365*day:
		layout = "2006"
	case span > 120*day:
		layout = "2006-01"
	case span < 3*day:
		layout = "01-02 15:04"
	}
	for i := range 3 {
		at := low + span*(0.15+0.35*float64(i))
		all = append(all, tick{Value: at,
			Label: time.Unix(int64(at), 0).UTC().Format(layout)})
	}
	return all
}

// categoryTicks marks the categories of an axis.
func (c Column) categoryTicks(low, high float64) (all []tick) {
	for i, name := range c.Categories {
		if v := float64(i); v >= low && v <= high {
			all = append(all, tick{Value: v, Label: shorten(name, 8) + " "})
		}
	}
	every := (len(all) + 5) / 6
	for i := range all {
		if i%every != 0 {
			all[i].Label = ""
		}
	}
	return all
}

// even marks a linear axis with 4 to 9 numbers, and the middles between them.
type even struct{}

// Ticks implements ticker.
func (even) Ticks(low, high float64) []tick { return spaced(low, high, 8) }

// spaced marks a linear axis with numbers, with at most so many steps between them, and the middles
// between them.
func spaced(low, high, most float64) (all []tick) {
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / most))))
	for _, factor := range []float64{1, 2, 2.5, 5, 10} {
		if (high-low)/(factor*step) <= most {
			step *= factor
			break
		}
	}
	for half := math.Ceil(2 * low / step); half <= math.Floor(2*high/step); half++ {
		tick := tick{Value: half * step / 2}
		if math.Mod(half, 2) == 0 {
			tick.Label = plainNumber(tick.Value)
		}
		all = append(all, tick)
	}
	return all
}

// plainNumber writes a number of an axis: with an exponent only where it is very large or small.
func plainNumber(v float64) string {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64) // without errors of rounding
	v += 0                                                             // no negative zero
	if a := math.Abs(v); a >= 1e7 || a > 0 && a < 1e-4 {
		return exponent.ReplaceAllString(fmt.Sprintf("%.4g", v), "e$1$2")
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
