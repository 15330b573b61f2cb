package linear

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/verify/lab"
)

// factorData is M points of the model x = W z + sigma eps, z ~ N(0, I), and the closed forms for
// them.
type factorData struct {
	data.Table
	noise  float64       // sigma_x
	mean   []float64     // of the data
	values []float64     // eigenvalues of the data's covariance (divided by M), largest first
	axes   *mat.Dense    // its eigenvectors, D x D, in that order
	truth  *mat.SymDense // W W^T + sigma^2 I
}

// factorGains are the singular values of the true W, in the first latent directions.
var factorGains = [...]float64{1.6, 1.1, 0.8}

const (
	factorDim    = 6   // D
	factorLatent = 3   // d
	factorNoise  = 0.5 // sigma_x
)

// newFactorData draws M points.
func newFactorData(m int, seed uint64) *factorData {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &factorData{Table: data.Table{D: factorDim}, noise: factorNoise}
	w := mixing()
	for range m {
		var latent [factorLatent]float64
		for k := range latent {
			latent[k] = r.NormFloat64()
		}
		for j := range factorDim {
			x := factorNoise * r.NormFloat64()
			for k, v := range latent {
				x += w.At(k, j) * v
			}
			f.X = append(f.X, float32(x))
		}
	}
	f.truth = mat.NewSymDense(factorDim, nil)
	f.truth.SymOuterK(1, w.T())
	for j := range factorDim {
		f.truth.SetSym(j, j, f.truth.At(j, j)+factorNoise*factorNoise)
	}
	mean, cov := cloudMoments(f.X, factorDim)
	f.mean = mean
	f.values, f.axes = eigen(cov)
	return f
}

// mixing returns the true W, d x D: orthogonal rows of a discrete cosine transform times the gains.
func mixing() *mat.Dense {
	w := mat.NewDense(factorLatent, factorDim, nil)
	for k, gain := range factorGains {
		for j := range factorDim {
			cosine := math.Cos(math.Pi * (float64(j) + 0.5) * float64(k+1) / factorDim)
			w.Set(k, j, gain*math.Sqrt(2.0/factorDim)*cosine)
		}
	}
	return w
}

// gap is how far the log-likelihood of the model N(mean, c) is below the maximum, in nats per
// datapoint. At the maximum W W^T has the d leading eigenvectors of the data's covariance, with
// their eigenvalues less sigma^2 (Tipping and Bishop 1999).
func (f *factorData) gap(mean []float64, c *mat.SymDense) float64 {
	return f.best() - f.logLikelihood(mean, c)
}

// best is the largest log-likelihood, in nats per datapoint.
func (f *factorData) best() float64 {
	l := -factorDim / 2.0 * math.Log(2*math.Pi)
	for k, v := range f.values {
		model := f.noise * f.noise
		if k < factorLatent {
			model = v // above sigma^2 for certain, by the size of the true gains
		}
		l -= (math.Log(model) + v/model) / 2
	}
	return l
}

// logLikelihood is the log-likelihood of N(mean, c), in nats per datapoint.
func (f *factorData) logLikelihood(mean []float64, c *mat.SymDense) float64 {
	var chol mat.Cholesky
	if !chol.Factorize(c) {
		return math.Inf(-1)
	}
	var ratio mat.Dense
	if chol.SolveTo(&ratio, f.covariance(mean)) != nil {
		return math.Inf(-1)
	}
	return -(factorDim*math.Log(2*math.Pi) + chol.LogDet() + mat.Trace(&ratio)) / 2
}

// covariance is the covariance of the data about a point.
func (f *factorData) covariance(mean []float64) *mat.SymDense {
	cov := mat.NewSymDense(factorDim, nil)
	for k, v := range f.values {
		cov.SymRankOne(cov, v, f.axes.ColView(k))
	}
	shift := mat.NewVecDense(factorDim, nil)
	shift.SubVec(mat.NewVecDense(factorDim, f.mean), mat.NewVecDense(factorDim, mean))
	cov.SymRankOne(cov, 1, shift)
	return cov
}

// gapOf is the gap of a model with the data's leading directions but other variances.
func (f *factorData) gapOf(limit func(lambda float64) float64) (gap float64) {
	for _, v := range f.values[:factorLatent] {
		r := v / limit(v)
		gap += (r - 1 - math.Log(r)) / 2
	}
	return gap
}

// averageGap is the gap of the mean of a time series of models. Its standard error is from blocks
// of the series and the derivative of the likelihood at the mean.
func (f *factorData) averageGap(means [][]float64, covs []*mat.SymDense) (gap, se float64) {
	mean, cov := make([]float64, factorDim), mat.NewSymDense(factorDim, nil)
	n := float64(len(covs))
	for i, c := range covs {
		cov.AddSym(cov, c)
		for j, v := range means[i] {
			mean[j] += v / n
		}
	}
	cov.ScaleSym(1/n, cov)
	var inverse mat.SymDense
	var chol mat.Cholesky
	if !chol.Factorize(cov) || chol.InverseTo(&inverse) != nil {
		return math.Inf(1), 0
	}
	// twice the gradient of the gap by the covariance: C^-1 - C^-1 Sigma C^-1
	var slope mat.Dense
	slope.Product(&inverse, f.covariance(mean), &inverse)
	slope.Sub(&inverse, &slope)
	const blocks = 30
	var block lab.Sample
	for b := range blocks {
		lo, hi := len(covs)*b/blocks, len(covs)*(b+1)/blocks
		var v float64
		for _, c := range covs[lo:hi] {
			var product mat.Dense
			product.Mul(&slope, c)
			v += mat.Trace(&product) / 2 / float64(hi-lo)
		}
		block = append(block, v)
	}
	return f.gap(mean, cov), block.SE()
}

// meanGap is the mean gap of a time series of models, with its standard error from blocks of the
// series.
func (f *factorData) meanGap(means [][]float64, covs []*mat.SymDense) (gap, se float64) {
	const blocks = 30
	var block lab.Sample
	for b := range blocks {
		lo, hi := len(covs)*b/blocks, len(covs)*(b+1)/blocks
		var v float64
		for i := lo; i < hi; i++ {
			v += f.gap(means[i], covs[i]) / float64(hi-lo)
		}
		block = append(block, v)
	}
	return block.Mean(), block.SE()
}

// slopeOf is the sum of the sizes of the derivatives of gapOf by the logarithms of the variances.
func (f *factorData) slopeOf(limit func(lambda float64) float64) (slope float64) {
	for _, v := range f.values[:factorLatent] {
		slope += math.Abs(v/limit(v)-1) / 2
	}
	return slope
}
