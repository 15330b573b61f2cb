package exactnet

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/model"
)

// TestDiagonal: gradients of the diagonal decoder against differences of the loss sum (y - x)^2 /
// 2.
func TestDiagonal(t *testing.T) {
	const width, rows = 3, 4
	for _, net := range []Diagonal{
		{Width: width}, {Width: width, Offset: true}, {Width: width, Offset: true, Scale: true},
	} {
		p := make([]float32, net.Layout().Size())
		x, target := make([]float32, rows*width), make([]float32, rows*width)
		for i, v := range [][]float32{p, x, target} {
			kernel.Normal(v, kernel.Key{Seed: uint64(i)}, 0)
		}
		loss := func() (sum float64) {
			tape := net.NewTape(nil, p, rows, model.Train)
			copy(tape.In(0, rows), x)
			tape.Forward(0, rows)
			for i, y := range tape.Out(0, rows) {
				d := float64(y) - float64(target[i])
				sum += d * d / 2
			}
			return sum
		}
		tape := net.NewTape(nil, p, rows, model.Train)
		copy(tape.In(0, rows), x)
		tape.Forward(0, rows)
		for i, y := range tape.Out(0, rows) {
			tape.Out(0, rows)[i] = y - target[i]
		}
		dx, grad := make([]float32, rows*width), make([]float32, len(p))
		tape.Backward(0, rows, dx)
		for i := range tape.GradTasks() {
			tape.Grad(i, grad, rows, 0.5)
		}
		compare := func(what string, v, g []float32, factor float64) {
			for i := range v {
				const step = 1.0 / 64
				at := v[i]
				v[i] = at + step
				up := loss()
				v[i] = at - step
				down := loss()
				v[i] = at
				want := factor * (up - down) / (2 * step)
				if !(math.Abs(float64(g[i])-want) <= 2e-4) {
					t.Errorf("%+v: gradient by %s %d is %v, expected %v", net, what, i, g[i], want)
				}
			}
		}
		compare("input", x, dx, 1)
		compare("parameter", p, grad, 0.5)
	}
}
