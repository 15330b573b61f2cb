package method

import (
	"github.com/plume-ml/plume/trainer/internal/reference"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/pool"
)

// Probabilistic PCA, x ~ N(W z + mu, sigma^2 I) with z ~ N(0, I): vae with a linear decoder and
// encoder. The maximum of its evidence lower bound is that of the likelihood (Lucas, Tucker, Grosse
// and Norouzi 2019). There the eigenvalues of W W^T are the leading d eigenvalues of the covariance
// less sigma^2 (Tipping and Bishop 1999, equation 7), q is the posterior, with variances
// sigma^2/eigenvalue, and the bound is tight.
const (
	pcaDim, pcaLatent, pcaPoints = 4, 2, 60
	pcaNoise                     = 0.6
)

// pcaImages are draws from a Gaussian of unequal standard deviations 2, 1.3, 0.7, 0.5 along slanted
// axes.
func pcaImages() table {
	e := reference.Normals(pcaPoints*pcaDim, 8, 1)
	x := make([]float32, len(e))
	for i := 0; i < len(x); i += pcaDim {
		a, b, c, d := 2*e[i], 1.3*e[i+1], 0.7*e[i+2], 0.5*e[i+3]
		x[i], x[i+1], x[i+2], x[i+3] = (a+b+c+d)/2+1, (a-b+c-d)/2, (a+b-c-d)/2, (a-b-c+d)/2-0.5
	}
	return table{D: pcaDim, X: x}
}

// pcaCovariance is the mean and the covariance (over n) of the images.
func pcaCovariance(x []float32) ([]float64, *mat.SymDense) {
	mean, c := make([]float64, pcaDim), mat.NewSymDense(pcaDim, nil)
	for i, v := range x {
		mean[i%pcaDim] += float64(v) / pcaPoints
	}
	for i := 0; i < len(x); i += pcaDim {
		for j := range pcaDim {
			for k := j; k < pcaDim; k++ {
				v := (float64(x[i+j]) - mean[j]) * (float64(x[i+k]) - mean[k]) / pcaPoints
				c.SetSym(j, k, c.At(j, k)+v)
			}
		}
	}
	return mean, c
}

// gaussianNLL is the mean of -log N(x; mu, c) over images of the given mean and covariance.
func gaussianNLL(mu []float64, c *mat.SymDense, mean []float64, s *mat.SymDense) float64 {
	var f mat.Cholesky
	if !f.Factorize(c) {
		return math.NaN()
	}
	var inner mat.Dense
	off := mat.NewVecDense(pcaDim, nil)
	for j := range mu {
		off.SetVec(j, mean[j]-mu[j])
	}
	if f.SolveTo(&inner, s) != nil {
		return math.NaN()
	}
	var solved mat.VecDense
	if f.SolveVecTo(&solved, off) != nil {
		return math.NaN()
	}
	return (pcaDim*math.Log(2*math.Pi) + f.LogDet() + mat.Trace(&inner) + mat.Dot(off, &solved)) / 2
}

// eigenvalues are those of the covariance, the largest first.
func eigenvalues(t *testing.T, c *mat.SymDense) []float64 {
	var e mat.EigenSym
	if !e.Factorize(c, false) {
		t.Fatal("no eigenvalues")
	}
	up := e.Values(nil)
	down := make([]float64, len(up))
	for i, v := range up {
		down[len(up)-1-i] = v
	}
	return down
}

// maximumLikelihood returns the minimum of -log p(x) over models with d latent dimensions.
func maximumLikelihood(values []float64) float64 {
	nll := pcaDim / 2. * math.Log(2*math.Pi)
	for j, l := range values {
		model := pcaNoise * pcaNoise
		if j < pcaLatent {
			model = l
		}
		nll += (math.Log(model) + l/model) / 2
	}
	return nll
}

func trainPCA(t *testing.T) (v *variational, bound float64) {
	p := pool.New(1)
	t.Cleanup(p.Close)
	o := smallEncoder()
	o.Latent, o.ObsNoise, o.Particles = pcaLatent, pcaNoise, 8
	o.DecoderWidths, o.EncoderWidths = nil, nil
	o.Optimizer, o.LR, o.LREnd, o.LRSchedule, o.EMA = "adam", 0.03, 0.001, "cosine", 0.99
	m, err := New("vae",
		Setup{Options: o, Train: pcaImages(), Batch: pcaPoints, Tile: 64, Seed: 3, Pool: p})
	if err != nil {
		t.Fatal(err)
	}
	const steps, last = 1500, 200
	index := data.Range(0, pcaPoints)
	for k := range steps {
		s := takeStep(t, m,
			Minibatch{Index: index, Number: uint32(k), Progress: float64(k) / steps})
		if k >= steps-last {
			bound += (s.DataLoss + s.PriorLoss - s.Entropy) / s.Rows / last
		}
	}
	return m.(*variational), bound
}

// vae reaches the maximum of the likelihood, its bound is tight there, and q is the posterior.
func TestVAEOnProbabilisticPCA(t *testing.T) {
	v, bound := trainPCA(t)
	mean, s := pcaCovariance(pcaImages().X)
	values := eigenvalues(t, s)
	want := maximumLikelihood(values)

	p := v.decoder.opt.EMA
	l := v.setup.Decoder.Layout()
	w, mu := l.View(p, "layer0.weight"), l.View(p, "layer0.bias")
	c, offset := mat.NewSymDense(pcaDim, nil), make([]float64, pcaDim)
	for j := range pcaDim {
		offset[j] = float64(mu[j])
		for k := j; k < pcaDim; k++ {
			for l := range pcaLatent {
				c.SetSym(j, k, c.At(j, k)+float64(w[l*pcaDim+j])*float64(w[l*pcaDim+k]))
			}
		}
		c.SetSym(j, j, c.At(j, j)+pcaNoise*pcaNoise)
	}
	// The tolerance covers the optimiser's noise at its last rates, and the error 2e-3 of a mean of
	// the bound over 300,000 draws with a standard deviation of about 1. A wrong factor or sign in
	// any part of the bound changes it by tenths.
	if got := gaussianNLL(offset, c, mean, s); !(got >= want-1e-6 && got <= want+2e-3) {
		t.Errorf("-log p(x) = %.4f, the least there is %.4f", got, want)
	}
	if math.Abs(bound-want) > 0.01 {
		t.Errorf("the bound is %.4f, the least -log p(x) %.4f: expected it to be tight", bound,
			want)
	}

	g := v.Generator(true)
	post, logvar := make([]float32, pcaLatent), make([]float32, pcaLatent)
	g.Encode(post, logvar, pcaImages().X[:pcaDim], nil)
	variances := []float64{math.Exp(float64(logvar[0])), math.Exp(float64(logvar[1]))}
	if variances[0] > variances[1] {
		variances[0], variances[1] = variances[1], variances[0]
	}
	for j, got := range variances {
		if exact := pcaNoise * pcaNoise / values[j]; math.Abs(got/exact-1) > 0.05 {
			t.Errorf("dimension %d: q has the variance %.4f, the posterior %.4f", j, got, exact)
		}
	}
}
