package reference

import (
	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
)

// Uniform returns n numbers in [-1/2, 1/2).
func Uniform(n int, seed uint64) []float32 {
	words := make([]uint32, n)
	kernel.Bits(words, kernel.Key{Seed: seed}, 0)
	out := make([]float32, n)
	for i, w := range words {
		out[i] = float32(w>>8)/(1<<24) - 0.5
	}
	return out
}

// Normals returns n standard normals times scale.
func Normals(n int, seed uint64, scale float32) []float32 {
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: seed}, 0)
	for i := range x {
		x[i] *= scale
	}
	return x
}

// Rotation returns an orthogonal matrix, dim x dim.
func Rotation(dim int, seed uint64) *mat.Dense {
	random := make([]float64, dim*dim)
	for i, v := range Uniform(dim*dim, seed) {
		random[i] = float64(v)
	}
	var qr mat.QR
	qr.Factorize(mat.NewDense(dim, dim, random))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

// Skewed returns n rows of dim numbers whose coordinates are correlated and differ in variance.
func Skewed(n, dim int, seed uint64) []float32 {
	rows := Uniform(n*dim, seed)
	for i := range n {
		row := rows[i*dim : (i+1)*dim]
		for j := 1; j < dim; j++ {
			row[j] = 0.5*row[j-1] + 0.15*row[j]*float32(1+j%3) + float32(seed%5)*0.02
		}
	}
	return rows
}

// Moments returns the mean and the covariance, with the divisor n - 1, of n rows of dim numbers.
func Moments(rows []float32, dim int) ([]float64, *mat.Dense) {
	n, mean, cov := len(rows)/dim, make([]float64, dim), mat.NewDense(dim, dim, nil)
	for i, v := range rows {
		mean[i%dim] += float64(v) / float64(n)
	}
	for r := range n {
		row := rows[r*dim : (r+1)*dim]
		for i := range row {
			for j := range row {
				c := (float64(row[i]) - mean[i]) * (float64(row[j]) - mean[j]) / float64(n-1)
				cov.Set(i, j, cov.At(i, j)+c)
			}
		}
	}
	return mean, cov
}
