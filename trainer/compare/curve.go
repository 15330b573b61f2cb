package compare

import (
	"path/filepath"

	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/metric"
)

// figureColours is after how many series a figure begins anew with its colours: those beyond are dashed.
const figureColours = 7

// WritePlots draws the PCA-64 FD of the reports on the way against what was spent until then, in
// seconds and in millions of network evaluations: quality-seconds and quality-evaluations, .png and .svg. Points
// are means over the finished runs, bars their standard deviation. Without a point there is no plot.
func (r *Results) WritePlots(dir string) error {
	for _, p := range []struct {
		name, title, label string
		spent              func(metric.Epoch) float64
	}{
		{"quality-seconds", "Quality against time", "seconds of training", func(e metric.Epoch) float64 { return e.StepSeconds }},
		{"quality-evaluations", "Quality against network evaluations", "millions of network evaluations",
			func(e metric.Epoch) float64 { return e.Evaluations / 1e6 }},
	} {
		plot := figure.Plot{Title: p.title + ", " + r.Plan.Info.Data, XLabel: p.label, YLabel: "PCA-64 FD", LogY: true}
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
		for _, ending := range []string{".png", ".svg"} {
			if err := plot.Write(filepath.Join(dir, p.name+ending)); err != nil {
				return err
			}
		}
	}
	return nil
}

// curve averages the reports of a contestant's runs, which are at the same epochs.
func (r *Results) curve(contestant string, spent func(metric.Epoch) float64) figure.Series {
	s := figure.Series{Name: contestant, Line: true, Points: true}
	var epochs []int
	xs, ys := map[int][]float64{}, map[int][]float64{}
	for _, run := range r.Runs {
		if run.Contestant != contestant {
			continue
		}
		for _, e := range run.Curve {
			if xs[e.Epoch] == nil {
				epochs = append(epochs, e.Epoch)
			}
			xs[e.Epoch], ys[e.Epoch] = append(xs[e.Epoch], spent(e)), append(ys[e.Epoch], *e.PCA64FD)
		}
	}
	for _, epoch := range epochs {
		y := spread(ys[epoch])
		s.X, s.Y, s.Err = append(s.X, spread(xs[epoch]).Mean), append(s.Y, y.Mean), append(s.Err, y.SD)
	}
	return s
}
