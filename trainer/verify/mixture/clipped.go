package mixture

import (
	"fmt"

	"github.com/plume-ml/plume/trainer/verify/lab"
)

// clippedDecoder: particles of a decoder whose output is cut off at -1 and 1 follow the exact law
// of moves along the gradient of U (likelihood.Clipped), for pixels at a limit and between. Outputs
// are beyond the limits for most of the prior, where the gradient of -log p itself would be zero.
func clippedDecoder(l *lab.Lab) error {
	t := newTwoModes()
	t.w, t.clipped = 1, true
	for k, x := range []float64{1, 0.5, -1} {
		if err := t.clippedAt(l, x, k); err != nil {
			return err
		}
	}
	return nil
}

func (t twoModes) clippedAt(l *lab.Lab, x float64, seed int) error {
	points := modePoints * l.N(1, 16)
	m, err := t.copies(l, x, points, seed)
	if err != nil {
		return err
	}
	clip := func(y float64) float64 { return max(-1, min(1, y)) }
	moves := standardGrid().kernel(modeStep, func(z float64) float64 {
		return -t.ScoreAt(z, lab.Process.Max) + t.w*(clip(t.w*z)-x)/(t.noise*t.noise)
	})
	g := standardGrid()
	for i := range 4 {
		if _, err := l.StepAll(m, points, i); err != nil {
			return err
		}
		g = g.after(modeMoves, moves)
		if i == 1 || i == 2 {
			continue
		}
		name := fmt.Sprintf("after %d moves, x = %v", (i+1)*modeMoves, x)
		z := lab.Tensor(m, "cloud/z")
		for _, f := range []struct {
			name string
			of   func(z float64) float64
		}{
			{"mean z", func(z float64) float64 { return z }},
			{"mean z^2", func(z float64) float64 { return z * z }},
			{"mean of clip(y)", func(z float64) float64 { return clip(t.w * z) }},
		} {
			found := make(lab.Sample, len(z)) // particles are independent: the decoder is fixed
			for n, v := range z {
				found[n] = f.of(float64(v))
			}
			l.EstimateMean(f.name+" "+name, g.mean(f.of), found, gridError)
		}
	}
	return nil
}
