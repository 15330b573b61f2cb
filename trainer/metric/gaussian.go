package metric

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Gaussian is a normal distribution, such as that of a set of rows.
type Gaussian struct {
	mean  []float64
	trace float64    // of the covariance
	root  *mat.Dense // rows x K: root^T root is the covariance
}

// NewGaussian returns the distribution with the mean and the covariance (over n - 1) of the rows of
// x. It overwrites x.
func NewGaussian(x *mat.Dense) *Gaussian {
	n, _ := x.Dims()
	return centred(centre(x), x, n)
}

// Uncorrelated returns the distribution with mean 0 and a diagonal covariance.
func Uncorrelated(variances []float64) *Gaussian {
	k := len(variances)
	g := &Gaussian{mean: make([]float64, k), root: mat.NewDense(k, k, nil)}
	for i, v := range variances {
		g.trace += v
		g.root.Set(i, i, math.Sqrt(v))
	}
	return g
}

// centred returns the distribution with the given mean and the covariance x^T x / (n - 1); x, which
// it keeps, has the mean subtracted already, and stands for n rows.
func centred(mean []float64, x *mat.Dense, n int) *Gaussian {
	g := &Gaussian{mean: mean, root: x}
	scale := 1 / float64(n-1)
	if m, k := x.Dims(); m > k {
		cov := square(x, scale)
		g.trace, g.root = mat.Trace(cov), root(cov)
		return g
	}
	// The rows themselves are the root: the way through a singular covariance would only lose
	// digits.
	entries, r := x.RawMatrix().Data, math.Sqrt(scale)
	for i := range entries {
		entries[i] *= r
		g.trace += entries[i] * entries[i]
	}
	return g
}

// centre subtracts the mean from the rows of x and returns it.
func centre(x *mat.Dense) []float64 {
	n, k := x.Dims()
	mean := make([]float64, k)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	for i := range n {
		row := x.RawRowView(i)
		for j := range row {
			row[j] -= mean[j]
		}
	}
	return mean
}

const squareRows = 256 // so that a block of 64 columns stays in the second-level cache

// square returns scale x^T x. It transposes a block of rows at a time, so that the product runs
// along the rows of both factors.
func square(x *mat.Dense, scale float64) *mat.SymDense {
	n, k := x.Dims()
	sum := mat.NewSymDense(k, nil)
	transposed := make([]float64, min(squareRows, n)*k)
	for lo := 0; lo < n; lo += squareRows {
		hi := min(lo+squareRows, n)
		block := mat.NewDense(k, hi-lo, transposed[:(hi-lo)*k])
		block.Copy(x.Slice(lo, hi, 0, k).T())
		sum.SymRankK(sum, scale, block)
	}
	return sum
}

// root returns a matrix of rank(cov) rows with root^T root = cov: the factor of a pivoted Cholesky
// decomposition, which ends when only rounding is left.
func root(cov *mat.SymDense) *mat.Dense {
	k := cov.SymmetricDim()
	var chol mat.PivotedCholesky
	chol.Factorize(cov, -1) // a rank below K is no failure
	out := mat.NewDense(max(1, chol.Rank()), k, nil)
	upper, pivots := chol.RawU(), chol.ColumnPivots(nil)
	for i := range chol.Rank() {
		for j := i; j < k; j++ {
			out.Set(i, pivots[j], upper.At(i, j))
		}
	}
	return out
}

// Frechet returns the squared Fréchet distance between normal distributions (Dowson and Landau
// 1982) of means a, b and covariances A, B,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}),
//
// as the literature on images reports it. For roots R^T R = A and S^T S = B the last trace is the
// sum of the singular values of R S^T: their squares are the eigenvalues of A^{1/2} B A^{1/2}.
// Singular values keep the digits that square roots of eigenvalues near 0 would lose.
func (g *Gaussian) Frechet(h *Gaussian) (float64, error) {
	distance := g.trace + h.trace
	for i, a := range g.mean {
		distance += (a - h.mean[i]) * (a - h.mean[i])
	}
	var product mat.Dense
	product.Mul(g.root, h.root.T())
	var svd mat.SVD
	if !svd.Factorize(&product, mat.SVDNone) {
		return 0, errors.New("metric: Fréchet distance: the singular values of the covariances' " +
			"product did not converge")
	}
	for _, v := range svd.Values(nil) {
		distance -= 2 * v
	}
	return max(0, distance), nil // rounding may make it slightly negative
}
