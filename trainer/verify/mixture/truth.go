package mixture

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plume-ml/plume/trainer/diffusion"
	"github.com/plume-ml/plume/trainer/verify/exactnet"
)

// twoModes is the one-dimensional model of ALGORITHM.md, section 8.3: z from a mixture of two
// Gaussians, x = w z + sigma eps. The posterior for most x has two modes.
type twoModes struct {
	exactnet.Mixture
	w, noise float64
	clipped  bool // x = clip(w z) + sigma eps
}

func newTwoModes() twoModes {
	return twoModes{
		Mixture: exactnet.Mixture{
			Weight:   []float64{0.35, 0.65},
			Variance: []float64{0.2, 0.3},
			Mean:     [][]float64{{-1.5}, {1.5}},
		},
		w: 0.4, noise: 0.6,
	}
}

// posterior is the exact posterior for x, also a mixture.
func (t twoModes) posterior(x float64) exactnet.Mixture {
	var p exactnet.Mixture
	var sum float64
	for k, m := range t.Mean {
		v := t.Variance[k]
		marginal := t.w*t.w*v + t.noise*t.noise
		gain := v * t.w / marginal
		weight := t.Weight[k] * math.Exp(logNormal(math.Pow(x-t.w*m[0], 2), marginal))
		p.Weight = append(p.Weight, weight)
		p.Variance = append(p.Variance, v-gain*t.w*v)
		p.Mean = append(p.Mean, []float64{m[0] + gain*(x-t.w*m[0])})
		sum += weight
	}
	for k := range p.Weight {
		p.Weight[k] /= sum
	}
	return p
}

// logLikelihood is the exact mean of log p(x).
func (t twoModes) logLikelihood(x []float64) (mean float64) {
	for _, v := range x {
		var p float64
		for k, m := range t.Mean {
			variance := t.w*t.w*t.Variance[k] + t.noise*t.noise
			p += t.Weight[k] * math.Exp(logNormal(math.Pow(v-t.w*m[0], 2), variance))
		}
		mean += math.Log(p) / float64(len(x))
	}
	return mean
}

// above is the probability of numbers above z.
func above(m exactnet.Mixture, z float64) (p float64) {
	for k, w := range m.Weight {
		p += w * distuv.Normal{Mu: m.Mean[k][0], Sigma: math.Sqrt(m.Variance[k])}.Survival(z)
	}
	return p
}

// sampleAt is the draw from the mixture that the uniform u, for the component, and the normal
// stand for.
func sampleAt(m exactnet.Mixture, u, normal float64) float64 {
	k := 0
	for ; k < len(m.Weight)-1 && u >= m.Weight[k]; k++ {
		u -= m.Weight[k]
	}
	return m.Mean[k][0] + math.Sqrt(m.Variance[k])*normal
}

// draw returns n draws of the model's latents and data.
func (t twoModes) draw(r *rand.Rand, n int) (z, x []float64) {
	for range n {
		v := sampleAt(t.Mixture, r.Float64(), r.NormFloat64())
		z, x = append(z, v), append(x, t.w*v+t.noise*r.NormFloat64())
	}
	return z, x
}

// meanDrift is the gradient of the bound of the mixture with the exact score, as a central
// difference. The bound is computed by quadrature over the log-SNR (Gauss-Legendre) and the noise
// (Gauss-Hermite).
func meanDrift(m exactnet.Mixture, z float64, p diffusion.Process) float64 {
	bound := func(z float64) float64 {
		return p.Span() / 2 * exactnet.MeanOver(p, func(lambda float64) float64 {
			alpha, sigma := diffusion.Alpha(lambda), diffusion.Sigma(lambda)
			return quad.Fixed(func(y float64) float64 {
				noise := math.Sqrt2 * y
				e := -sigma*m.ScoreAt(alpha*z+sigma*noise, lambda) - noise
				return e * e / math.SqrtPi
			}, math.Inf(-1), math.Inf(1), 60, quad.Hermite{}, 0)
		})
	}
	const h = 1e-4
	return (bound(z+h)-bound(z-h))/(2*h) + math.Pow(diffusion.Alpha(p.Min), 2)*z
}

// gaussianFit returns the mean and the variance of the Gaussian q with the least KL(q || m), which
// is the limit of a Gaussian encoder, and that divergence. It descends from a start in one of the
// modes.
func gaussianFit(m exactnet.Mixture, mean, variance float64) (float64, float64, float64) {
	divergence := func(mean, variance float64) float64 {
		sd := math.Sqrt(variance)
		cross := quad.Fixed(func(y float64) float64 {
			_, l := m.Responsibilities([]float64{mean + math.Sqrt2*sd*y}, 1, 0)
			return -l / math.SqrtPi
		}, math.Inf(-1), math.Inf(1), 80, quad.Hermite{}, 0)
		return cross - (1+math.Log(2*math.Pi*variance))/2
	}
	best := divergence(mean, variance)
	for step := 0.3; step > 1e-7; {
		improved := false
		for _, move := range [][2]float64{{step, 0}, {-step, 0}, {0, step}, {0, -step}} {
			a, b := mean+move[0], variance*math.Exp(move[1])
			if d := divergence(a, b); d < best {
				mean, variance, best, improved = a, b, d, true
			}
		}
		if !improved {
			step /= 2
		}
	}
	return mean, variance, best
}

// logNormal is log N(x; 0, v) for a given square of x.
func logNormal(square, v float64) float64 { return -(square/v + math.Log(2*math.Pi*v)) / 2 }
