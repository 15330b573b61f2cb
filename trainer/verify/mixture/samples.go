package mixture

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/generate"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// samples: the share of samples above 0 is the mixture's. With DDIM the share after the given steps
// is known exactly: the probability flow is monotone, so that the samples above 0 come from the
// normals above the point that is mapped to 0.
func samples(l *lab.Lab) error {
	t := newTwoModes()
	o := lab.Plain(1, 1, 1, 1)
	m, err := method.New("ipld", method.Setup{
		Options: o, Train: data.Table{D: 1, X: make([]float32, 1)}, Batch: 1,
		Tile: 64, Seed: l.Seed(0), Pool: l.Pool,
		Decoder: t.decoder(l), Prior: t.prior(prior.NewBound(o)),
	})
	if err != nil {
		return err
	}
	g := m.Generator(false)
	n := l.N(20000, 400000)
	z := make([]float32, n)
	for i, c := range []struct {
		solver diffusion.Solver
		steps  int
	}{{diffusion.DDIM, 50}, {diffusion.DDIM, 200}, {diffusion.Ancestral, 200}} {
		spec := generate.Spec{Solver: c.solver, Steps: c.steps, Seed: l.Seed(i)}
		if err := g.SampleLatents(l.Context(), z, n, spec); err != nil {
			return err
		}
		upper, _ := countModes(z, 1)
		exact, allowance := above(t.Mixture, 0), 0.0
		if c.solver == diffusion.DDIM {
			exact = distuv.UnitNormal.Survival(t.origin(c.steps))
		} else {
			// the error is of first order in the length of the steps; 400,000 samples showed
			// 0.6/steps
			allowance = 2.0 / float64(c.steps)
		}
		name := fmt.Sprintf("share of samples in the upper mode, %s, %d steps", c.solver, c.steps)
		l.EstimateMean(name, exact, upper, allowance+lab.Float32Error)
	}
	return nil
}

// origin is the number that DDIM maps to 0.
func (t twoModes) origin(steps int) float64 {
	low, high := -5.0, 5.0
	for range 60 {
		middle := (low + high) / 2
		z := middle
		for k := range steps {
			from := lab.Process.Min + lab.Process.Span()*float64(k)/float64(steps)
			to := lab.Process.Min + lab.Process.Span()*float64(k+1)/float64(steps)
			sigma := diffusion.Sigma(from)
			eps := -sigma * t.ScoreAt(z, from)
			z = diffusion.Alpha(to)*(z-sigma*eps)/diffusion.Alpha(from) + diffusion.Sigma(to)*eps
		}
		if z < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
