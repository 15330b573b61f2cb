package likelihood_test

import (
	"strings"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/layer"
)

func contains(err error, text string) bool { return strings.Contains(err.Error(), text) }

// normals returns n rows of standard normal numbers.
func normals(n, width int) [][]float32 {
	all, rows := make([]float32, n*width), make([][]float32, n)
	kernel.Normal(all, kernel.Key{Seed: 1, Stream: 200}, 0)
	for i := range rows {
		rows[i] = all[i*width : (i+1)*width]
	}
	return rows
}

// wave is all rows at once.
func wave(rows int, grad []float32) layer.Wave {
	return layer.Wave{Rows: rows, First: true, Last: true, Scale: 1, Grad: grad}
}
