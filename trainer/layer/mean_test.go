package layer_test

import (
	"testing"

	"github.com/plume-ml/plume/trainer/internal/reference"
	"github.com/plume-ml/plume/trainer/layer"
)

// mean is Mean, one number at a time.
func mean(in layer.Shape) subject {
	row := func(_ reference.Params, x [][]float64) []float64 {
		y := make([]float64, in.C)
		for i, v := range x[0] {
			y[i%in.C] += v / float64(in.Pixels())
		}
		return y
	}
	return subject{layer: layer.Mean{}, in: []layer.Shape{in}, row: row}
}

func TestMean(t *testing.T) {
	check(t, mean(layer.Shape{H: 3, W: 5, C: 7}), mean(layer.Vector(4)))
}
