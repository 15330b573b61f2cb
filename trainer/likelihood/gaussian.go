package likelihood

import (
	"math"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
)

// Gaussian is p(x|z) = N(x; g(z), Sigma^2 I), where g is the decoder and x a row of D numbers.
type Gaussian struct {
	Sigma float64
	D     int
}

// Dim implements Likelihood.
func (l Gaussian) Dim() int { return l.D }

// Outputs implements Likelihood.
func (l Gaussian) Outputs() int { return l.D }

// Gradient implements Likelihood.
func (l Gaussian) Gradient(t *model.Tape, r Rows) {
	pass, now := r.forward(t)
	defer now.End()
	defer pass.Release()
	l.backward(pass, r)
}

// backward sets the losses, and runs the rows back from the error of the decoder's output.
func (l Gaussian) backward(pass *model.Pass, r Rows) {
	if r.Missing != nil {
		r.excuse(pass.Out(), l.D)
	}
	scale := float32(1 / (l.Sigma * l.Sigma))
	square := r.Square[r.Lo:r.Hi]
	kernel.DataResidual(pass.DOut(), square, pass.Out(), r.X, r.Lo, r.Particles, l.D, scale)
	l.setLosses(r)
	pass.Backward(r.G)
}

// excuse makes the decoder's output for a missing number that number, so that it has no error.
func (r Rows) excuse(out []float32, dim int) {
	for i := r.Lo; i < r.Hi; i++ {
		row := out[(i-r.Lo)*dim : (i-r.Lo+1)*dim]
		x, all := r.image(i, dim)
		for j, missing := range all {
			if missing {
				row[j] = x[j]
			}
		}
	}
}

// setLosses sets the losses that follow from the squared errors of the rows.
func (l Gaussian) setLosses(r Rows) {
	double, each, n := 2*l.Sigma*l.Sigma, l.perNumber(), l.D
	for i := r.Lo; i < r.Hi; i++ {
		if r.Missing != nil && (i == r.Lo || i%r.Particles == 0) { // another image
			_, missing := r.image(i, l.D)
			n = known(l.D, missing)
		}
		r.Loss[i] = float64(r.Square[i])/double + float64(float64(n)*each)
	}
}

// perNumber is what each number that is known adds to -log p(x|z), without its error.
func (l Gaussian) perNumber() float64 { return math.Log(2*math.Pi*l.Sigma*l.Sigma) / 2 }

// known is how many of dim numbers are not missing.
func known(dim int, missing []bool) int {
	for _, m := range missing {
		if m {
			dim--
		}
	}
	return dim
}

// NegLog implements Likelihood.
func (l Gaussian) NegLog(out, x []float32, missing []bool) float64 {
	square := 0.0
	for i, v := range out {
		if missing == nil || !missing[i] {
			e := float64(v) - float64(x[i])
			square += float64(e * e)
		}
	}
	return square/(2*l.Sigma*l.Sigma) + float64(known(l.D, missing))*l.perNumber()
}

// Mean implements Likelihood.
func (l Gaussian) Mean(mean, out []float32) { copy(mean, out) }

// Variance implements Likelihood.
func (l Gaussian) Variance(v []float64, _ []float32) {
	for i := range v {
		v[i] = l.Sigma * l.Sigma
	}
}

// Draw implements Likelihood.
func (l Gaussian) Draw(x, out, normal []float32) {
	sigma := float32(l.Sigma)
	for i, v := range out {
		x[i] = v + float32(sigma*normal[i])
	}
}

// Noisy implements Likelihood.
func (l Gaussian) Noisy() bool { return false }
