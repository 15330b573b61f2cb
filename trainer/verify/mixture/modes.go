package mixture

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// posteriorModes: the share of particles in a mode of the posterior, and the share of datapoints
// with particles in both modes, follow the exact law of the moves at every k and tend to those of
// the posterior. The best Gaussian covers one mode.
func posteriorModes(l *lab.Lab) error {
	t := newTwoModes()
	for k, x := range []float64{0, 0.35} {
		if err := t.modes(l, x, k); err != nil {
			return err
		}
	}
	return nil
}

const (
	modeStep   = 0.02
	modePoints = 512
	modeCloud  = 4
	modeMoves  = 50 // in a step
)

// copies is ipld on a number of points that are all x.
func (t twoModes) copies(l *lab.Lab, x float64, points, seed int) (method.Method, error) {
	o := lab.Plain(1, modeCloud, modeStep, 1)
	o.ObsNoise, o.PriorDrift, o.InnerSteps = t.noise, diffusion.ScoreDrift, modeMoves
	if t.clipped {
		o.Likelihood = config.ClippedLikelihood
	}
	copies := data.Table{D: 1, X: make([]float32, points)}
	for i := range copies.X {
		copies.X[i] = float32(x)
	}
	return method.New("ipld", method.Setup{
		Options: o, Train: copies, Batch: points, Tile: 64, Seed: l.Seed(seed), Pool: l.Pool,
		Decoder: t.decoder(l), Prior: t.prior(prior.NewBound(o)),
	})
}

func (t twoModes) modes(l *lab.Lab, x float64, seed int) error {
	points := modePoints * l.N(1, 16)
	m, err := t.copies(l, x, points, seed)
	if err != nil {
		return err
	}
	g := standardGrid()
	moves := g.kernel(modeStep, func(z float64) float64 {
		return -t.ScoreAt(z, lab.Process.Max) + t.w*(t.w*z-x)/(t.noise*t.noise)
	})
	share := above(t.posterior(x), 0)
	var at, measured, se, exact []float64
	const steps = 16
	for i := range steps {
		if _, err := l.StepAll(m, points, i); err != nil {
			return err
		}
		g = g.after(modeMoves, moves)
		in, both := countModes(lab.Tensor(m, "cloud/z"), modeCloud)
		at, exact = append(at, float64((i+1)*modeMoves)), append(exact, g.above())
		measured, se = append(measured, in.Mean()), append(se, in.SE())
		if i == 0 || i == steps-1 {
			name := fmt.Sprintf("after %d moves, x = %v", (i+1)*modeMoves, x)
			l.EstimateMean("share of particles in the upper mode "+name, g.above(), in, gridError)
			exact := covered(g.above())
			what := fmt.Sprintf("share of points whose %d particles hold both modes %s",
				modeCloud, name)
			se := math.Sqrt(exact * (1 - exact) / float64(points))
			l.Estimate(what, exact, both.Mean(), se, modeCloud*gridError)
		}
	}
	_, both := countModes(lab.Tensor(m, "cloud/z"), modeCloud)
	t.against(l, x, both.Mean())
	l.Figure(fmt.Sprintf("mixture-modes-x%v", x), figure.Plot{
		Title:  fmt.Sprintf("Particles in the upper mode of the posterior, x = %v", x) + lab.Dashed,
		XLabel: "moves", YLabel: "share",
		Series: append(lab.Pair("particles", at, measured, se, exact), figure.Series{
			Name: "posterior",
			X:    []float64{at[0], at[steps-1]},
			Y:    []float64{share, share},
			Line: true,
		}),
	})
	return nil
}

// gridError bounds the error of the law on the grid.
const gridError = 1e-4

// covered is the probability that the particles of a datapoint, each of which is in one of two
// modes with probability q, are not all in the same mode.
func covered(q float64) float64 { return 1 - math.Pow(q, modeCloud) - math.Pow(1-q, modeCloud) }

// countModes returns, for each datapoint, the share of its n particles above 0, and 1 if there are
// some on both sides.
func countModes(z []float32, n int) (share, both lab.Sample) {
	for i := 0; i < len(z); i += n {
		var above float64
		for _, v := range z[i : i+n] {
			if v > 0 {
				above++
			}
		}
		share = append(share, above/float64(n))
		held := 0.0
		if above > 0 && above < float64(n) {
			held = 1
		}
		both = append(both, held)
	}
	return share, both
}

// against compares the coverage of the particles with the coverage of the same number of draws from
// the best Gaussian, which is at one of the modes.
func (t twoModes) against(l *lab.Lab, x, coverage float64) {
	p := t.posterior(x)
	best := math.Inf(1)
	var gaussian float64
	for k := range p.Mean {
		mean, variance, divergence := gaussianFit(p, p.Mean[k][0], p.Variance[k])
		if divergence < best {
			fit := distuv.Normal{Mu: mean, Sigma: math.Sqrt(variance)}
			best, gaussian = divergence, covered(fit.Survival(0))
		}
	}
	const quantity = "the same share for draws of the best Gaussian encoder, against the particles'"
	l.AtMost(fmt.Sprintf(quantity+", x = %v", x), gaussian, coverage)
}
