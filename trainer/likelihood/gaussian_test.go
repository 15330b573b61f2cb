package likelihood_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
)

// pack lays a tape's parameters out.
func pack(t *model.Tape) *model.Tape {
	for i := range t.PackTasks() {
		t.Pack(i)
	}
	return t
}

// decoding is a decoder without hidden layers, with random parameters.
type decoding struct {
	net *model.Net
	p   []float32
}

func decoder(d, dim, scales int) decoding {
	net := model.NewDecoder(nil, 0, scales, d, dim)
	p := make([]float32, net.Layout().Size())
	net.Layout().Init(p, 1, 0)
	if scales > 0 {
		copy(net.Layout().View(p, "scales.bias"), []float32{-0.1, 0.05, -0.2})
	}
	return decoding{net, p}
}

// decode returns the outputs for one latent.
func (n decoding) decode(z []float32) []float32 {
	pass := pack(n.net.NewTape(nil, n.p, model.Size{Rows: 1}, model.Evaluate)).Take(0, 1)
	copy(pass.In(0), z)
	pass.Forward()
	return slices.Clone(pass.Out())
}

// checkGradient compares the losses of a likelihood's rows with NegLog, and its gradients with
// central differences of NegLog, with numbers missing and without.
func checkGradient(t *testing.T, l likelihood.Likelihood, n decoding, x []float32, gone []bool) {
	t.Helper()
	checkGradientOf(t, l, l.NegLog, n, x, gone)
}

// checkGradientOf is checkGradient with the differences of another function. Rounding of the
// decoder in single precision and curvature leave errors of 1e-3 to differences of 1/64.
func checkGradientOf(
	t *testing.T, l likelihood.Likelihood, of func(out, x []float32, missing []bool) float64,
	n decoding, x []float32, gone []bool,
) {
	t.Helper()
	const d, particles = 2, 2
	rows := len(x) / l.Dim() * particles
	tape := pack(n.net.NewTape(nil, n.p, model.Size{Rows: rows}, model.Train))
	z := []float32{0.5, -1, 2, 0.25, -0.75, 1, 0, 3}
	loss, square, g := make([]float64, rows), make([]float32, rows), make([]float32, rows*d)
	l.Gradient(tape, likelihood.Rows{
		Hi: rows, Particles: particles, Z: z, X: x, Missing: gone, Loss: loss, Square: square, G: g,
	})
	for r := range rows {
		first := r / particles * l.Dim()
		var missing []bool
		if gone != nil {
			missing = gone[first : first+l.Dim()]
		}
		at := func(f func(out, x []float32, missing []bool) float64, z []float32) float64 {
			return f(n.decode(z), x[first:first+l.Dim()], missing)
		}
		latent := z[r*d : (r+1)*d]
		if want := at(l.NegLog, latent); math.Abs(loss[r]-want) > 1e-4*(1+math.Abs(want)) {
			t.Errorf("row %d: -log p = %v, expected %v", r, loss[r], want)
		}
		mean, want := make([]float32, l.Dim()), 0.0
		l.Mean(mean, n.decode(latent))
		for j, v := range mean {
			if missing == nil || !missing[j] {
				want += math.Pow(float64(v)-float64(x[first+j]), 2)
			}
		}
		if math.Abs(want-float64(square[r])) > 1e-5*(1+want) {
			t.Errorf("row %d: squared error %v, expected %v", r, square[r], want)
		}
		for j := range d {
			const h = 1.0 / 64
			moved := slices.Clone(latent)
			moved[j] += h
			up := at(of, moved)
			moved[j] -= 2 * h
			want, got := (up-at(of, moved))/(2*h), float64(g[r*d+j])
			if math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("row %d: gradient %d is %v, expected %v", r, j, got, want)
			}
		}
	}
}

// The losses of a Gaussian are those of its density written out.
func TestGaussian(t *testing.T) {
	const dim = 3
	l := likelihood.Gaussian{Sigma: 0.3, D: dim}
	n, x := decoder(2, dim, 0), []float32{1, -1, 0.5, 0.25, 0, -0.5}
	gone := []bool{false, true, false, false, false, false}
	checkGradient(t, l, n, x, nil)
	checkGradient(t, l, n, x, gone)
	out, want := []float32{0.5, 0.25, 0}, 0.0
	for j, v := range out {
		if !gone[j] {
			e := float64(v - x[j])
			want += e*e/(2*0.3*0.3) + math.Log(0.3) + math.Log(2*math.Pi)/2
		}
	}
	if got := l.NegLog(out, x[:dim], gone[:dim]); math.Abs(got-want) > 1e-12 {
		t.Errorf("-log p = %v, expected %v", got, want)
	}
	draw := make([]float32, dim)
	l.Draw(draw, out, []float32{1, -2, 0})
	if math.Abs(float64(draw[0])-0.8) > 1e-6 || math.Abs(float64(draw[1])+0.35) > 1e-6 {
		t.Errorf("drew %v", draw)
	}
}
