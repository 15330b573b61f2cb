package compare

import (
	"math"
	"path/filepath"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/record"
)

// figureColours is the number of colours in a figure; further series repeat them, dashed.
const figureColours = 7

// writePlots plots the PCA-64 FD during training against the cost so far: quality-seconds against
// seconds, quality-evaluations against millions of network evaluations, each as .png and .svg.
// Points are means over the finished runs, bars their standard deviations. A plot without points is
// not drawn. A dashed line is what held-out rows reach.
func (r *Results) writePlots(dir string) error {
	for _, p := range []struct {
		name, title, label string
		spent              func(record.Epoch) record.Number
	}{
		{
			"quality-seconds", "Quality against time", "seconds of training",
			func(e record.Epoch) record.Number { return e.StepSeconds },
		},
		{
			"quality-evaluations", "Quality against network evaluations",
			"millions of network evaluations",
			func(e record.Epoch) record.Number { return e.Evaluations / 1e6 },
		},
	} {
		plot := figure.Plot{
			Title:  p.title + ", " + r.Plan.Info.Data,
			XLabel: p.label,
			YLabel: "PCA-64 FD",
			LogY:   true,
		}
		points := 0
		for i, row := range r.Rows {
			s := r.curve(row.Name, p.spent)
			s.Dashed = i >= figureColours
			points += len(s.X)
			plot.Series = append(plot.Series, s)
		}
		if points == 0 {
			continue
		}
		plot.Series = append(plot.Series, r.floor(plot.Series)...)
		for _, ending := range []string{".png", ".svg"} {
			if err := plot.Write(filepath.Join(dir, p.name+ending)); err != nil {
				return err
			}
		}
	}
	return nil
}

// curve averages the reports of a contestant's runs, which are at the same epochs.
func (r *Results) curve(contestant string, spent func(record.Epoch) record.Number) figure.Series {
	s := figure.Series{Name: contestant, Line: true, Points: true}
	var epochs []int
	xs, ys := map[int][]record.Number{}, map[int][]record.Number{}
	for _, run := range r.Runs {
		if run.Contestant != contestant {
			continue
		}
		for _, e := range run.Curve {
			if xs[e.Epoch] == nil {
				epochs = append(epochs, e.Epoch)
			}
			xs[e.Epoch] = append(xs[e.Epoch], spent(e))
			ys[e.Epoch] = append(ys[e.Epoch], *e.PCA64FD)
		}
	}
	for _, epoch := range epochs {
		x, y := spread(xs[epoch]), spread(ys[epoch])
		s.X = append(s.X, float64(x.Mean))
		s.Y = append(s.Y, float64(y.Mean))
		s.Err = append(s.Err, float64(y.SD))
	}
	return s
}

// floor is the mean PCA-64 FD of held-out rows, as a line below all curves; none if no run has it.
func (r *Results) floor(curves []figure.Series) []figure.Series {
	sum, n := 0.0, 0.0
	for _, run := range r.Runs {
		if len(run.Curve) == 0 {
			continue
		}
		if v := run.Curve[len(run.Curve)-1].PCA64Floor; v != nil && v.Finite() {
			sum += float64(*v)
			n++
		}
	}
	if n == 0 {
		return nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, x := range c.X {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	mean := sum / n
	return []figure.Series{{
		Name: "held-out rows", X: []float64{lo, hi}, Y: []float64{mean, mean}, Line: true,
		Dashed: true,
	}}
}
