package diffusion

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/kernel"
)

// EpsFunc writes the predicted noise eps_theta(z, lambda) of the rows of z to eps.
type EpsFunc func(eps, z []float32, lambda float64)

// Solver names a method of sampling from lambda_min to lambda_max.
type Solver string

// The solvers of ALGORITHM.md section 6.
const (
	Ancestral Solver = "ancestral" // discrete reverse of the process
	DDIM      Solver = "ddim"      // probability flow, first order (Song, Meng and Ermon 2021)
	DPM2M     Solver = "dpm++2m"   // second-order multistep on the data prediction (Lu et al. 2022)
)

// Solvers lists all solvers.
var Solvers = []Solver{Ancestral, DDIM, DPM2M}

// DefaultSteps returns the default number of steps, or an error if the solver is unknown.
func (s Solver) DefaultSteps() (int, error) {
	switch s {
	case Ancestral:
		return 200, nil
	case DDIM:
		return 50, nil
	case DPM2M:
		return 20, nil
	}
	return 0, fmt.Errorf("solver %q: expected one of %q", s, Solvers)
}

// Walk describes a run of a solver.
type Walk struct {
	Process
	Solver Solver
	Steps  int         // number of steps of equal length in lambda, at least 1
	D      int         // latent dimension
	Noise  kernel.Key  // of the ancestral solver; step k uses Noise.Step + k
	Seeds  []uint64    // of the rows, in the place of Noise.Seed; nil: that of all rows
	Eps    EpsFunc     // predicts the noise
	Stop   func() bool // called before each step; true ends Run early; nil: never
}

// Run moves the rows of z, of D numbers each, from lambda_min, where they are N(0, I), to
// lambda_max. ids are the addresses of the rows in the noise stream. scratch has 3*len(z) numbers.
func (w Walk) Run(z []float32, ids []uint64, scratch []float32) {
	n := len(z)
	eps, data, prev := scratch[:n], scratch[n:2*n], scratch[2*n:3*n]
	at := func(k int) float64 { return w.Min + w.Span()*float64(k)/float64(w.Steps) }
	for k := range w.Steps {
		if w.Stop != nil && w.Stop() {
			return
		}
		s, t := at(k), at(k+1)
		w.Eps(eps, z, s)
		switch w.Solver {
		case Ancestral:
			key := w.Noise
			key.Step += uint32(k)
			w.ancestral(z, eps, data, ids, s, t, k == w.Steps-1, key)
		case DDIM:
			a := Alpha(t) / Alpha(s)
			kernel.Combine(z, float32(a), eps, float32(Sigma(t)-a*Sigma(s)), nil, 0)
		case DPM2M:
			w.multistep(z, eps, data, prev, s, t, k == 0)
			data, prev = prev, data
		}
	}
}

// ancestral computes z <- (alpha_t/alpha_s)(z - c sigma_s eps) + sigma_t sqrt(c) xi with
// c = 1 - exp(s - t). The last step has no noise.
func (w Walk) ancestral(
	z, eps, xi []float32, ids []uint64, s, t float64, last bool, key kernel.Key,
) {
	c := -math.Expm1(s - t)
	a := Alpha(t) / Alpha(s)
	if last {
		kernel.Combine(z, float32(a), eps, float32(-a*c*Sigma(s)), nil, 0)
		return
	}
	NormalRows(xi, ids, w.Seeds, w.D, key)
	kernel.Combine(z, float32(a), eps, float32(-a*c*Sigma(s)), xi, float32(Sigma(t)*math.Sqrt(c)))
}

// NormalRows fills the rows of dst (len(ids) x d) with the normals of rows ids of the stream. Row i
// has the seed seeds[i] in the place of the key's; nil: all have the key's.
func NormalRows(dst []float32, ids, seeds []uint64, d int, key kernel.Key) {
	if seeds == nil {
		kernel.NormalRows(dst, ids, d, key)
		return
	}
	for i, seed := range seeds {
		key.Seed = seed
		kernel.NormalRows(dst[i*d:(i+1)*d], ids[i:i+1], d, key)
	}
}

// multistep computes z <- (sigma_t/sigma_s) z - alpha_t (exp(-h) - 1) D, where h = (t - s)/2 is the
// step in log(alpha/sigma). D is the data prediction, extrapolated linearly from this step and the
// previous one: 3/2 data - 1/2 prev, since steps are equal. On the first step it is data.
func (w Walk) multistep(z, eps, data, prev []float32, s, t float64, first bool) {
	copy(data, z)
	kernel.Combine(data, float32(1/Alpha(s)), eps, float32(-Sigma(s)/Alpha(s)), nil, 0)
	b := -Alpha(t) * math.Expm1(-(t-s)/2)
	a := float32(Sigma(t) / Sigma(s))
	if first {
		kernel.Combine(z, a, data, float32(b), nil, 0)
		return
	}
	kernel.Combine(z, a, data, float32(1.5*b), prev, float32(-0.5*b))
}
