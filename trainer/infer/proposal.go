package infer

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
)

// proposal is a mixture of a Gaussian and a multivariate t distribution with the same centre and
// shape. The Gaussian covers the bulk of the posterior; the t has heavier tails than any posterior
// under Gaussian noise (a defensive mixture: Hesterberg 1995, "Weighted average importance sampling
// and defensive mixture distributions").
type proposal struct {
	d       int
	mean    []float64
	root    mat.TriDense // L of L L^T = the shape
	logDet  float64      // of L
	factors []float64    // scratch, d
}

const (
	proposalInflation = 1.4  // factor of the posterior's variances: wider than the target
	proposalTails     = 0.25 // share of the samples from the t
	proposalFreedom   = 5    // degrees of freedom of the t
	proposalRidge     = 1e-3 // share of the mean variance added to each, if chains hardly moved
)

// streamProposal is the stream of the proposals (trainer/ALGORITHM.md, section 9).
const streamProposal kernel.Stream = 18

// newProposal fits a proposal to the moments of an image's chains.
func newProposal(mean, cov []float64) (*proposal, error) {
	d := len(mean)
	shape := mat.NewSymDense(d, nil)
	trace := 0.0
	for i := range d {
		trace += cov[i*d+i]
	}
	for i := range d {
		for k := i; k < d; k++ {
			shape.SetSym(i, k, proposalInflation*cov[i*d+k])
		}
		shape.SetSym(i, i, shape.At(i, i)+proposalRidge*trace/float64(d))
	}
	var cholesky mat.Cholesky
	if !cholesky.Factorize(shape) {
		const text = "the covariance of the particles is not positive definite (its trace is %v)"
		return nil, fmt.Errorf(text, trace)
	}
	p := &proposal{d: d, mean: mean, factors: make([]float64, d)}
	cholesky.LTo(&p.root)
	p.logDet = cholesky.LogDet() / 2
	return p, nil
}

// draw fills z (n x d) with samples, those from the t last, and logQ with the mixture's log density
// at each of the n samples.
func (p *proposal) draw(z []float32, logQ []float64, key kernel.Key) {
	n := len(logQ)
	tails := int(math.Round(proposalTails * float64(n)))
	width := p.d + proposalFreedom
	normals := make([]float32, n*width)
	kernel.Normal(normals, key, 0)
	for i := range n {
		row := normals[i*width : (i+1)*width]
		scale := 1.0
		if i >= n-tails {
			chi2 := 0.0
			for _, v := range row[p.d:] {
				chi2 += float64(v) * float64(v)
			}
			scale = math.Sqrt(proposalFreedom / chi2)
		}
		p.place(z[i*p.d:(i+1)*p.d], row[:p.d], scale)
		logQ[i] = p.logDensity(z[i*p.d:(i+1)*p.d], float64(tails)/float64(n))
	}
}

// place computes z = mean + scale L xi.
func (p *proposal) place(z, xi []float32, scale float64) {
	for i := range z {
		v := 0.0
		for k, l := range p.row(i) {
			v += l * float64(xi[k])
		}
		z[i] = float32(p.mean[i] + scale*v)
	}
}

// row is the numbers of row i of L up to the diagonal.
func (p *proposal) row(i int) []float64 {
	raw := p.root.RawTriangular()
	return raw.Data[i*raw.Stride : i*raw.Stride+i+1]
}

// logDensity is the log density at z of the mixture in which the t has the share tails.
func (p *proposal) logDensity(z []float32, tails float64) float64 {
	square, y := 0.0, p.factors // L y = z - mean
	for i := range y {
		v, row := float64(z[i])-p.mean[i], p.row(i)
		for k, l := range row[:i] {
			v -= l * y[k]
		}
		y[i] = v / row[i]
		square += y[i] * y[i]
	}
	d, nu := float64(p.d), float64(proposalFreedom)
	gauss := -square/2 - d/2*math.Log(2*math.Pi)
	a, _ := math.Lgamma((nu + d) / 2)
	b, _ := math.Lgamma(nu / 2)
	t := a - b - d/2*math.Log(nu*math.Pi) - (nu+d)/2*math.Log1p(square/nu)
	return floats.LogSumExp([]float64{math.Log(1-tails) + gauss, math.Log(tails) + t}) - p.logDet
}
