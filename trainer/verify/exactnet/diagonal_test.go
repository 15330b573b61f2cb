package exactnet

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
	"github.com/plume-ml/plume/trainer/model"
)

// TestDiagonal: gradients of the diagonal decoder against differences of the loss sum (y - x)^2 /
// 2.
func TestDiagonal(t *testing.T) {
	const width, rows = 3, 4
	for _, decoder := range []Diagonal{
		{Width: width}, {Width: width, Offset: true}, {Width: width, Offset: true, Scale: true},
	} {
		net := decoder.Net()
		p := make([]float32, net.Layout().Size())
		x, target := make([]float32, rows*width), make([]float32, rows*width)
		for i, v := range [][]float32{p, x, target} {
			kernel.Normal(v, kernel.Key{Seed: uint64(i)}, 0)
		}
		tape := net.NewTape(nil, p, model.Size{Rows: rows}, model.Train)
		forward := func() *model.Pass {
			pass := tape.Take(0, rows)
			copy(pass.In(0), x)
			pass.Forward()
			return pass
		}
		loss := func() (sum float64) {
			pass := forward()
			defer pass.Release()
			for i, y := range pass.Out() {
				d := float64(y) - float64(target[i])
				sum += d * d / 2
			}
			return sum
		}
		pass := forward()
		for i, y := range pass.Out() {
			pass.DOut()[i] = y - target[i]
		}
		dx, grad := make([]float32, rows*width), make([]float32, len(p))
		pass.Backward(dx)
		pass.Release()
		tape.Reduce(layer.Wave{Rows: rows, First: true, Last: true, Scale: 0.5, Grad: grad})
		for i := range tape.GradTasks() {
			tape.Grad(i)
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
					t.Errorf("%+v: gradient by %s %d is %v, expected %v",
						decoder, what, i, g[i], want)
				}
			}
		}
		compare("input", x, dx, 1)
		compare("parameter", p, grad, 0.5)
	}
}
