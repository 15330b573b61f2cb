package linear

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/plume-ml/plume/trainer/verify/exactnet"
)

// cloudMoments returns the mean and the covariance (divided by n) of n rows of d numbers.
func cloudMoments(z []float32, d int) (mean []float64, cov *mat.SymDense) {
	n := len(z) / d
	rows := mat.NewDense(n, d, nil)
	exactnet.Widen(rows.RawMatrix().Data, z)
	mean = make([]float64, d)
	for j := range mean {
		mean[j] = stat.Mean(mat.Col(nil, j, rows), nil)
	}
	cov = mat.NewSymDense(d, nil)
	stat.CovarianceMatrix(cov, rows, nil)
	cov.ScaleSym(float64(n-1)/float64(n), cov)
	return mean, cov
}

// eigen returns the eigenvalues, largest first, and the eigenvectors as columns in that order.
func eigen(s mat.Symmetric) ([]float64, *mat.Dense) {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		panic(errEigen)
	}
	var q mat.Dense
	e.VectorsTo(&q)
	n := s.SymmetricDim()
	values, axes := make([]float64, n), mat.NewDense(n, n, nil)
	for k, v := range e.Values(nil) {
		values[n-1-k] = v
		axes.SetCol(n-1-k, mat.Col(nil, k, &q))
	}
	return values, axes
}

const errEigen = "linear: no eigenvalues of a covariance"

// identity is I, d x d.
func identity(d int) *mat.SymDense {
	s := mat.NewSymDense(d, nil)
	for i := range d {
		s.SetSym(i, i, 1)
	}
	return s
}

// gaussianKL is the Kullback-Leibler divergence KL(N(m1, s1) || N(m2, s2)) in nats.
func gaussianKL(m1 []float64, s1 mat.Symmetric, m2 []float64, s2 mat.Symmetric) float64 {
	var c1, c2 mat.Cholesky
	if !c1.Factorize(s1) || !c2.Factorize(s2) {
		return math.Inf(1)
	}
	d := len(m1)
	diff := mat.NewVecDense(d, nil)
	diff.SubVec(mat.NewVecDense(d, m1), mat.NewVecDense(d, m2))
	var ratio mat.Dense
	var solved mat.VecDense
	if c2.SolveTo(&ratio, s1) != nil || c2.SolveVecTo(&solved, diff) != nil {
		return math.Inf(1)
	}
	return (mat.Trace(&ratio) + mat.Dot(diff, &solved) - float64(d) + c2.LogDet() - c1.LogDet()) / 2
}
