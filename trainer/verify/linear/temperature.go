package linear

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/particle"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// heated is h v/2 against x: the closed form, and as measured.
type heated struct{ x, exact, measured, se []float64 }

func (t *heated) add(x, exact, measured, se float64) {
	t.x, t.exact = append(t.x, x), append(t.exact, exact)
	t.measured, t.se = append(t.measured, measured), append(t.se, se)
}

// clearHeat is the smallest h v/2 whose logarithm is drawn: at least eight standard errors of a
// default run.
const clearHeat = 0.05

// temperature: the noise of the drift raises the temperature of the particles by the factor 1 + h
// v/2, where v is the variance of a single draw divided by the number of draws.
func temperature(l *lab.Lab) error {
	var bySteps, byDraws, byVariance heated
	for k, c := range []posterior{
		{h: 0.01, draws: 1}, {h: 0.02, draws: 1}, {h: 0.04, draws: 1},
		{h: 0.04, draws: 2}, {h: 0.04, draws: 4}, {h: 0.04, draws: 1, cv: true},
	} {
		c.friction, c.dynamics = 1, particle.Overdamped
		t, err := c.heat(l, k)
		if err != nil {
			return err
		}
		if c.draws == 1 && !c.cv {
			bySteps.add(c.h, t.exact[0], t.measured[0], t.se[0])
		}
		if c.h == 0.04 && !c.cv {
			byDraws.add(float64(c.draws), t.exact[0], t.measured[0], t.se[0])
		}
		for j, heat := range t.exact {
			if c.h == 0.04 && heat > clearHeat {
				byVariance.add(2/c.h*t.exact[j], t.exact[j], t.measured[j], t.se[j])
			}
		}
	}
	first := fmt.Sprintf("s = %v", spread[0])
	// v grows with the particles' variance, and so with h: the slopes of the closed form are only
	// near 1 and -1.
	for _, t := range []struct {
		what, axis, series string
		heated
	}{
		{"h", "step size h", first, bySteps},
		{"draws", "score draws", first, byDraws},
		{"v", "variance v of the drift", "h = 0.04", byVariance.inOrder()},
	} {
		law := lab.FitLog(lab.Logs(t.x), t.exact, t.se).Slope
		name := fmt.Sprintf("h v/2 from Var z against %s, %s", t.what, t.series)
		l.Slope(name, law, t.x, t.measured, t.se, 0)
		l.Figure("linear-temperature-"+t.what, figure.Plot{
			Title:  "Extra temperature h v/2 of the noisy drift" + lab.Dashed,
			XLabel: t.axis, YLabel: "h v/2 from Var z", LogX: true, LogY: true,
			Series: lab.Pair(t.series, t.x, t.measured, t.se, t.exact),
		})
	}
	return nil
}

// inOrder sorts by x, for a line through the points.
func (t heated) inOrder() (sorted heated) {
	order := data.Range(0, len(t.x))
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(t.x[i], t.x[j]) })
	for _, i := range order {
		sorted.add(t.x[i], t.exact[i], t.measured[i], t.se[i])
	}
	return sorted
}

// heat measures h v/2 by prior variances, as the ratio of Var z to its value for a drift without
// noise, less 1.
func (c posterior) heat(l *lab.Lab, k int) (t heated, err error) {
	found, seen, err := c.settled(l, k)
	if err != nil {
		return t, err
	}
	var mean float64 // of h v/2 over the coordinates
	for j, s := range spread {
		law := c.chainOf(j)
		still := law
		still.v0, still.v1, still.v2 = 0, 0, 0
		cold, warm := still.stationary().zz, law.stationary()
		mean += c.h / 2 * law.variance(warm) / float64(len(spread))
		v := found.square[j]
		t.add(s, warm.zz/cold-1, v.Mean()/cold-1, v.SE()/cold)
		if j == 0 || c.cv {
			name := fmt.Sprintf("h v/2 from Var z, %s, s = %v", c.name(), s)
			allowance := c.strata(t.exact[j]) + lab.Float32Error
			l.Estimate(name, t.exact[j], t.measured[j], t.se[j], allowance)
		}
	}
	name := "h v/2 as training reports it, " + c.name()
	l.EstimateMean(name, mean, seen, c.strata(mean)+lab.Float32Error)
	return t, nil
}

// strata is how much smaller h v/2 can be because the draws of a row are from different strata of
// lambda: the share (draws-1)/(rows*draws-1).
func (c posterior) strata(heat float64) float64 {
	return heat * float64(c.draws-1) / float64(posteriorPoints*posteriorCloud*c.draws-1)
}
