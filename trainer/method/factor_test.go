package method

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
	"github.com/plume-ml/plume/trainer/pool"
)

// Factor analysis, x ~ N(W z + mu, diag sigma^2) with z ~ N(0, I): a linear decoder of normal
// columns, whose scales are learnt.
const factorDim, factorLatent, factorPoints = 8, 2, 300

// factorRows are draws of such a model with scales from 0.4 to 0.96. Every column depends on both
// factors: where a factor is seen by two columns alone, the likelihood hardly says which of them
// explains the other, and a small bias moves scales far.
func factorRows() data.Table {
	z := reference.Normals(factorPoints*factorLatent, 5, 1)
	x := reference.Normals(factorPoints*factorDim, 6, 1)
	for i := range x {
		row, j := i/factorDim, i%factorDim
		x[i] *= 0.4 + 0.08*float32(j)
		x[i] += 0.8*z[row*factorLatent] + 0.8*z[row*factorLatent+1]*float32(1-j%2*2)
	}
	return data.Table{D: factorDim, X: x}
}

// covarianceOf is that of the rows, over their number.
func covarianceOf(x []float32) *mat.Dense {
	rows := len(x) / factorDim
	s, mean := mat.NewDense(factorDim, factorDim, nil), make([]float64, factorDim)
	for i, v := range x {
		mean[i%factorDim] += float64(v) / float64(rows)
	}
	for i := 0; i < len(x); i += factorDim {
		for j := range factorDim {
			for k := range factorDim {
				v := (float64(x[i+j]) - mean[j]) * (float64(x[i+k]) - mean[k]) / float64(rows)
				s.Set(j, k, s.At(j, k)+v)
			}
		}
	}
	return s
}

// factorVariances are the variances sigma^2 at the maximum of the likelihood, by the EM algorithm
// of Rubin and Thayer (1982).
func factorVariances(t *testing.T, s *mat.Dense) []float64 {
	t.Helper()
	psi, w := make([]float64, factorDim), mat.NewDense(factorDim, factorLatent, nil)
	for j := range psi {
		psi[j] = s.At(j, j) / 2
		for k := range factorLatent {
			w.Set(j, k, float64((j+1)*(k+2)%5)/5+0.1)
		}
	}
	for range 5000 {
		var scaled, g, beta, moments, sb, next, fitted mat.Dense
		scaled.Apply(func(j, _ int, v float64) float64 { return v / psi[j] }, w)
		g.Mul(w.T(), &scaled)
		for k := range factorLatent {
			g.Set(k, k, g.At(k, k)+1)
		}
		if err := g.Inverse(&g); err != nil {
			t.Fatal(err)
		}
		beta.Mul(&g, scaled.T())
		sb.Mul(s, beta.T())
		moments.Mul(&beta, &sb)
		moments.Add(&moments, &g)
		if err := moments.Inverse(&moments); err != nil {
			t.Fatal(err)
		}
		next.Mul(&sb, &moments)
		fitted.Mul(&next, sb.T())
		for j := range psi {
			psi[j] = s.At(j, j) - fitted.At(j, j)
		}
		w.Copy(&next)
	}
	return psi
}

// Particles with a fixed prior learn the scales at the maximum of the likelihood. What is left is
// the noise of 20 particles for each datapoint, about 1 %, and the bias of their moves, which grows
// with the step size and with the precision 1/sigma^2: of the smallest scale 9 % at h = 0.01 and
// 5 % at 0.005. A wrong factor in the gradient by a scale makes 30 % and more.
func TestScalesOfFactorAnalysis(t *testing.T) {
	p := pool.New(2)
	t.Cleanup(p.Close)
	o := small()
	setDefaults(t, config.PGD, &o)
	o.Latent, o.DecoderWidths, o.Particles = factorLatent, nil, 20
	o.Likelihood, o.ObsNoise = "normal:8", 0.01
	o.StepSize, o.StepSizeEnd, o.EMA = 0.005, 0.005, 0.99
	o.Optimizer, o.LR, o.LREnd, o.LRSchedule = "adam", 0.02, 0.02, "cosine"
	rows := factorRows()
	m, err := New(config.PGD, Setup{
		Options: o, Train: rows, Batch: factorPoints, Tile: 64, Seed: 3, Pool: p,
	})
	if err != nil {
		t.Fatal(err)
	}
	decoder := m.(*flow).decoder
	scales := decoder.layout.View(decoder.p, "scales.bias")
	for j := range scales { // 1/2: from 1/10 the moves would have to be smaller
		scales[j] = float32(math.Log(5) / 4)
	}
	const steps = 1000
	for k := range steps {
		takeStep(t, m, Minibatch{
			Index: data.Range(0, factorPoints), Number: uint32(k), Progress: float64(k) / steps,
		})
	}
	want := factorVariances(t, covarianceOf(rows.X))
	model := m.Generator(true).Model()
	out, got := make([]float32, 2*factorDim), make([]float64, factorDim)
	copy(out[factorDim:], model.Decoder.Layout().View(model.DecoderP, "scales.bias"))
	model.Likelihood.(*likelihood.Mixed).Variance(got, out)
	for j, v := range want {
		if ratio := math.Sqrt(got[j] / v); ratio < 0.96 || ratio > 1.08 {
			t.Errorf("scale %d is %.4f, expected %.4f", j, math.Sqrt(got[j]), math.Sqrt(v))
		}
	}
}

// Scales do not decay with the weights.
func TestScalesDoNotDecay(t *testing.T) {
	p := pool.New(1)
	t.Cleanup(p.Close)
	// moved is what a step adds to the scales, which start at 1, and to the first weights.
	moved := func(decay float64) (scales, weights []float32) {
		o := small()
		setDefaults(t, config.PGD, &o)
		o.Latent, o.DecoderWidths, o.Particles = factorLatent, nil, 1
		o.Likelihood, o.LR, o.DecoderDecay = "normal:8", 1e-3, decay
		o.Optimizer, o.LRSchedule = "sgd", "constant"
		m, err := New(config.PGD, Setup{
			Options: o, Train: factorRows(), Batch: factorPoints, Tile: 64, Seed: 3, Pool: p,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		d := m.(*flow).decoder
		scales = d.layout.View(d.p, model.Scales)
		for j := range scales {
			scales[j] = 1
		}
		before := slices.Clone(d.p)
		takeStep(t, m, Minibatch{Index: data.Range(0, factorPoints)})
		for i := range before {
			before[i] = d.p[i] - before[i]
		}
		return d.layout.View(before, model.Scales), before[:factorDim]
	}
	scales, weights := moved(0)
	decayed, others := moved(2)
	if !slices.Equal(scales, decayed) || slices.Equal(weights, others) {
		t.Error("scales decay with the weights, or these do not")
	}
}
