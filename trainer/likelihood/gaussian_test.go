package likelihood_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/likelihood"
	"github.com/plume-ml/plume/trainer/model"
)

// NegLog and the gradient agree with the density written out and with its central differences, for
// a decoder without hidden layers.
func TestGaussian(t *testing.T) {
	const d, dim, particles = 2, 3, 2
	net := model.NewMLP(nil, d, dim)
	p := make([]float32, net.Layout().Size())
	net.Layout().Init(p, 1, 0)
	rows := 2 * particles
	tape := net.NewTape(nil, p, model.Size{Rows: rows}, model.Train)
	for i := range tape.PackTasks() {
		tape.Pack(i)
	}
	z := []float32{0.5, -1, 2, 0.25, -0.75, 1, 0, 3}
	x := []float32{1, -1, 0.5, 0.25, 0, -0.5}
	square, g := make([]float32, rows), make([]float32, rows*d)
	l := likelihood.Gaussian{Sigma: 0.3, Dim: dim}
	l.Gradient(tape, likelihood.Rows{
		Hi: rows, Particles: particles, Z: z, X: x, Square: square, G: g,
	})

	negLog := func(row int, z []float32) (sum, squares float64) {
		in, out := net.NewTape(nil, p, model.Size{Rows: 1}, model.Evaluate), make([]float32, dim)
		for i := range in.PackTasks() {
			in.Pack(i)
		}
		pass := in.Take(0, 1)
		copy(pass.In(0), z)
		pass.Forward()
		copy(out, pass.Out())
		image := x[row/particles*dim:][:dim]
		for j, v := range out {
			e := float64(v) - float64(image[j])
			sum += e*e/(2*l.Sigma*l.Sigma) + math.Log(l.Sigma) + math.Log(2*math.Pi)/2
		}
		return sum, likelihood.SquareError(out, image, nil)
	}
	for r := range rows {
		at := z[r*d : (r+1)*d]
		want, squares := negLog(r, at)
		if got := l.NegLog(float64(square[r]), 1); math.Abs(got-want) > 1e-4 {
			t.Errorf("row %d: -log p = %v, expected %v", r, got, want)
		}
		if math.Abs(squares-float64(square[r])) > 1e-5 {
			t.Errorf("row %d: squared error %v, expected %v", r, square[r], squares)
		}
		for j := range d {
			const h = 1.0 / 64
			moved := append([]float32(nil), at...)
			moved[j] += h
			up, _ := negLog(r, moved)
			moved[j] -= 2 * h
			down, _ := negLog(r, moved)
			want, got := (up-down)/(2*h), float64(g[r*d+j])
			if math.Abs(got-want) > 1e-3*(1+math.Abs(want)) {
				t.Errorf("row %d: gradient %d is %v, expected %v", r, j, got, want)
			}
		}
	}
	first, second := float64(square[0]), float64(square[1])
	apart := l.NegLog(first, 1) + l.NegLog(second, 1)
	if sum := l.NegLog(first+second, 2); math.Abs(sum-apart) > 1e-6 {
		t.Error("-log p of two rows is not the sum of theirs")
	}
}
