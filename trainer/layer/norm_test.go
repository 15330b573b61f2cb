package layer_test

import (
	"math"
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// groupNorm is GroupNorm, one number at a time.
func groupNorm(l layer.GroupNorm, in ...layer.Shape) subject {
	c, pixels := in[0].C, in[0].Pixels()
	size := c / l.Groups
	row := func(p reference.Params, x [][]float64) []float64 {
		y := make([]float64, len(x[0]))
		for k := range l.Groups {
			var sum, square float64
			n := float64(size * pixels)
			each := func(f func(i, j int)) {
				for i := range pixels {
					for j := k * size; j < (k+1)*size; j++ {
						f(i*c+j, j)
					}
				}
			}
			each(func(i, _ int) { sum += x[0][i] })
			each(func(i, _ int) { square += (x[0][i] - sum/n) * (x[0][i] - sum/n) })
			each(func(i, j int) {
				y[i] = (x[0][i] - sum/n) / math.Sqrt(square/n+1e-5)
				y[i] = y[i]*(1+p("scale")[j]) + p("shift")[j]
			})
		}
		y = modulated(y, x, c)
		for i, v := range y {
			if l.SiLU {
				y[i] = reference.SiLU(v)
			}
		}
		return y
	}
	return subject{layer: l, in: in, row: row}
}

// modulated is y (1 + s) + t, or y if there is no second input (s, t).
func modulated(y []float64, x [][]float64, c int) []float64 {
	for i := range y {
		if len(x) > 1 {
			y[i] = y[i]*(1+x[1][i%c]) + x[1][c+i%c]
		}
	}
	return y
}

func TestGroupNorm(t *testing.T) {
	check(t,
		groupNorm(layer.GroupNorm{Groups: 3}, layer.Shape{H: 3, W: 5, C: 12}),
		groupNorm(layer.GroupNorm{Groups: 1}, layer.Shape{H: 2, W: 3, C: 7}),
		groupNorm(layer.GroupNorm{Groups: 9}, layer.Shape{H: 3, W: 3, C: 9}),
		groupNorm(layer.GroupNorm{Groups: 5}, layer.Vector(35)),
		groupNorm(layer.GroupNorm{Groups: 3, SiLU: true}, layer.Shape{H: 3, W: 5, C: 9}),
		groupNorm(layer.GroupNorm{Groups: 4}, layer.Shape{H: 5, W: 3, C: 12}, layer.Vector(24)),
		groupNorm(layer.GroupNorm{Groups: 7, SiLU: true}, layer.Shape{H: 1, W: 7, C: 35},
			layer.Vector(70)),
	)
}

// rmsNorm is RMSNorm, one number at a time.
func rmsNorm(in ...layer.Shape) subject {
	c := in[0].C
	row := func(p reference.Params, x [][]float64) []float64 {
		y := make([]float64, len(x[0]))
		for i := range y {
			pixel := x[0][i/c*c : i/c*c+c]
			y[i] = x[0][i] / math.Sqrt(reference.Square(pixel)/float64(c)+1e-5)
			y[i] *= 1 + p("scale")[i%c]
		}
		return modulated(y, x, c)
	}
	return subject{layer: layer.RMSNorm{}, in: in, row: row}
}

func TestRMSNorm(t *testing.T) {
	check(t,
		rmsNorm(layer.Shape{H: 3, W: 5, C: 11}),
		rmsNorm(layer.Vector(35)),
		rmsNorm(layer.Shape{H: 2, W: 3, C: 16}, layer.Vector(32)),
		rmsNorm(layer.Vector(33), layer.Vector(66)),
	)
}
