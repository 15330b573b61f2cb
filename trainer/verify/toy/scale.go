package toy

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/figure"
	"github.com/plume-ml/plume/trainer/method"
	"github.com/plume-ml/plume/trainer/pool"
	"github.com/plume-ml/plume/trainer/prior"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// Scale are the experiments of section 8.4.
var Scale = []lab.Experiment{
	{Section: "8.4", Title: "pgd: the learned scale of the latents", Run: scaleLearned},
	{Section: "8.4", Title: "pgd: the collapse of the latents", Run: scaleCollapse},
}

// scale is one training of the model z ~ N(0, 1), y ~ N(theta + s z, 1), whose parameters theta
// and s are the decoder's (ALGORITHM.md, section 8.4). So y ~ N(theta, s^2 + 1), and the maximum
// of the likelihood is at theta = mean y, s^2 = max(0, var y - 1).
type scale struct {
	variance  float64 // of y, over its M datapoints
	particles int     // N
	h         float64
}

const (
	scalePoints = 8    // M
	scaleWidth  = 256  // replicates in one model
	scaleRate   = 0.2  // learning rate
	scaleSteps  = 250  // by which s has forgotten its start
	scaleMean   = -1.5 // mean of y
	scaleFewer  = 16   // particles N, and twice as many for the extrapolation
)

// y returns datapoint m; they are evenly spaced.
func (s scale) y(m int) float64 {
	const evenly = (scalePoints*scalePoints - 1) / 3.0 // variance of -7, -5 .. 7
	return scaleMean + math.Sqrt(s.variance/evenly)*float64(2*m-(scalePoints-1))
}

// build returns a model that starts at the maximum of the likelihood.
func (s scale) build(seed uint64, p *pool.Pool) (method.Method, error) {
	train := data.Table{D: scaleWidth}
	for i := range scalePoints * scaleWidth {
		train.X = append(train.X, float32(s.y(i/scaleWidth)))
	}
	m, err := method.New("pgd", method.Setup{
		Options: lab.Plain(scaleWidth, s.particles, s.h, scaleRate),
		Train:   train, Batch: scalePoints, Tile: 64, Seed: seed, Pool: p,
		Decoder: exactnet.Diagonal{Width: scaleWidth, Offset: true, Scale: true}.Net(),
		Prior:   prior.Gaussian{Latent: scaleWidth},
	})
	if err != nil {
		return nil, err
	}
	offsets, scales := diagonalParams(m)
	for j := range scales {
		offsets[j], scales[j] = scaleMean, float32(math.Sqrt(max(0, s.variance-1)))
	}
	m.Restored()
	return m, nil
}

// diagonalParams returns the parameters of a diagonal decoder that learns both kinds.
func diagonalParams(m method.Method) (offsets, scales []float32) {
	p := lab.Tensor(m, "decoder/params")
	return p[:len(p)/2], p[len(p)/2:]
}

// learned trains models and returns theta and s^2 of each replicate.
func (s scale) learned(l *lab.Lab, models int) (theta, square lab.Sample, err error) {
	theta, square = make(lab.Sample, models*scaleWidth), make(lab.Sample, models*scaleWidth)
	err = l.Models(models, func(k int, p *pool.Pool) error {
		m, err := s.build(l.Seed(k), p)
		if err != nil {
			return err
		}
		for i := range scaleSteps {
			if _, err := l.StepAll(m, scalePoints, i); err != nil {
				return err
			}
		}
		offsets, scales := diagonalParams(m)
		for j, v := range scales {
			theta[k*scaleWidth+j] = float64(offsets[j])
			square[k*scaleWidth+j] = float64(v) * float64(v)
		}
		return nil
	})
	return theta, square, err
}

// manyParticles extrapolates the mean of (M N)^power s^2 from N and 2N particles to N = infinity,
// which removes the error of order 1/(M N). It also checks the mean of theta.
func (s scale) manyParticles(l *lab.Lab, power float64) (v, se float64, err error) {
	for i, weight := range []float64{-1, 2} {
		s.particles = scaleFewer << i
		what := fmt.Sprintf("var y = %v, h = %v, N = %d", s.variance, s.h, s.particles)
		theta, square, err := s.learned(l.Branch(what), l.N(6, 96))
		if err != nil {
			return 0, 0, err
		}
		if i == 1 {
			l.EstimateMean("pgd, "+what+": mean of theta", scaleMean, theta, rounding)
		}
		weight *= math.Pow(float64(scalePoints*s.particles), power)
		v += weight * square.Mean()
		se = math.Hypot(se, weight*square.SE())
	}
	return v, se, nil
}

// fixed is s^2 at the fixed point of s for many particles. With the posterior precision p = s^2 +
// 1, the moves make the variance of z 1/(p (1 - h p/2)), for which the gradient vanishes at p =
// var y (1 - h p/2).
func (s scale) fixed() float64 { return s.variance/(1+s.h*s.variance/2) - 1 }

// scaleLearned measures s for var y > 1, and its bias against h.
func scaleLearned(l *lab.Lab) error {
	var learned, bias points
	for _, s := range []scale{
		{variance: 2, h: 0.1}, {variance: 4, h: 0.1},
		{variance: 3, h: 0.05}, {variance: 3, h: 0.1}, {variance: 3, h: 0.2},
	} {
		v, se, err := s.manyParticles(l, 0)
		if err != nil {
			return err
		}
		const quantity = "pgd, var y = %v (MLE s^2 = %v), h = %v: s^2 for N to infinity"
		name := fmt.Sprintf(quantity, s.variance, s.variance-1, s.h)
		l.Estimate(name, s.fixed(), v, se, secondOrder)
		if s.h == 0.1 {
			learned.add(s.variance, v, se, s.fixed())
		}
		if s.variance == 3 {
			bias.add(s.h, 2-v, se, 2-s.fixed())
		}
	}
	power(l, "pgd, var y = 3: order in h of the bias of s^2 (1 as h -> 0)", bias)
	return drawScale(l, learned)
}

// secondOrder bounds the error that the extrapolation to N = infinity leaves, which is of order
// 1/(M N)^2.
const secondOrder = 20.0 / (scalePoints * scaleFewer) / (scalePoints * scaleFewer)

func drawScale(l *lab.Lab, learned points) error {
	series := figure.Series{Name: "maximum of the likelihood", Line: true}
	steps := figure.Series{Name: "at step size h = 0.1", Line: true, Dashed: true}
	for i := range 101 {
		v := 4.2 * float64(i) / 100
		series.X, series.Y = append(series.X, v), append(series.Y, max(0, v-1))
		fixed := scale{variance: v, h: 0.1}.fixed()
		steps.X, steps.Y = append(steps.X, v), append(steps.Y, max(0, fixed))
	}
	l.Figure("scale-learned", figure.Plot{
		Title:  "pgd on the scale toy: learned scale",
		XLabel: "variance of y",
		YLabel: "learned s^2",
		Series: append([]figure.Series{learned.series()[0]}, series, steps),
	})
	return nil
}

// collapsed is M N E[s^2] for many particles if the best s is 0. Near 0 the flow is linear in s
// and in w, the mean of z (y - theta):
//
//	s' = s + rate (w - q s),   q = 1/(1 - h/2),
//	w' = w - h (w - var y s) + sqrt(2 h var y/(M N)) xi,
//
// where q is the mean of z^2 for step size h.
func (s scale) collapsed() float64 {
	m := stay(2)
	m.add(0, 0, -scaleRate/(1-s.h/2))
	m.add(0, 1, scaleRate)
	m.add(1, 1, -s.h)
	m.add(1, 0, s.h*s.variance)
	m.noise(1, 1, 2*s.h*s.variance)
	return m.stationary().cov.At(0, 0)
}

// scaleCollapse measures s for var y < 1: it stays near 0, with a variance of order 1/(M N).
func scaleCollapse(l *lab.Lab) error {
	for _, s := range []scale{{variance: 0.25, h: 0.1}, {variance: 0.5, h: 0.1}} {
		v, se, err := s.manyParticles(l, 1)
		if err != nil {
			return err
		}
		exact := s.collapsed()
		const quantity = "pgd, var y = %v (MLE s = 0), h = %v: M N E[s^2] for N to infinity"
		l.Estimate(fmt.Sprintf(quantity, s.variance, s.h), exact, v, se, exact*secondOrder)
	}
	return nil
}
