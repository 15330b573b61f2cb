package metric

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Distance is the PCA-64 FD of samples (rows of D values, clamped to [-1, 1] here) from the
// training images: with means a, b and covariances A, B in the leading components,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}).
//
// It is 0 for the training images themselves. Two finite sets of the same distribution are some way
// apart, too: compare distances at equal n. Fewer than two samples and values that are not finite are
// errors. The samples are gathered in blocks, each once.
func (p *PCA) Distance(samples RowSource) (float64, error) {
	if n := samples.Len(); n < 2 {
		return 0, fmt.Errorf("metric: PCA-64 FD of %d samples, expected 2 or more", n)
	}
	coordinates, err := p.project(samples)
	if err != nil {
		return 0, err
	}
	mean, cov := moments(coordinates)
	distance := 0.0
	for i, a := range p.variances {
		distance += mean[i]*mean[i] + a + cov.At(i, i)
	}
	root, err := traceRoot(p.variances, cov)
	if err != nil {
		return 0, err
	}
	return max(0, distance-2*root), nil // rounding may leave it just below 0
}

// project returns the clamped samples' coordinates, n x K; those of the training mean are 0.
func (p *PCA) project(samples RowSource) (out *mat.Dense, err error) {
	dim := len(p.mean)
	out = mat.NewDense(samples.Len(), p.K(), nil)
	room := make([]float64, min(blockRows, samples.Len())*dim)
	eachBlock(samples, dim, func(block []float32, lo, n int) {
		for i, v := range block {
			if !finite(float64(v)) && err == nil {
				err = fmt.Errorf("metric: PCA-64 FD: sample %d holds %v", lo+i/dim, v)
			}
			room[i] = min(1, max(-1, float64(v))) - p.mean[i%dim]
		}
		centred := mat.NewDense(n, dim, room[:n*dim])
		out.Slice(lo, lo+n, 0, p.K()).(*mat.Dense).Mul(centred, p.components)
	})
	return out, err
}

// moments returns the mean and the covariance (over n - 1) of the rows of x, which it centres.
func moments(x *mat.Dense) (mean []float64, cov *mat.SymDense) {
	n, k := x.Dims()
	mean = make([]float64, k)
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
	cov = mat.NewSymDense(k, nil)
	cov.SymOuterK(1/float64(n-1), x.T())
	return mean, cov
}

// traceRoot is tr (A^{1/2} B A^{1/2})^{1/2} for the diagonal matrix A of the given variances.
func traceRoot(a []float64, b *mat.SymDense) (float64, error) {
	k := len(a)
	s := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			s.SetSym(i, j, math.Sqrt(a[i])*b.At(i, j)*math.Sqrt(a[j]))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(s, false) {
		return 0, errors.New("metric: PCA-64 FD: the eigenvalues of the covariances' product did not converge")
	}
	trace := 0.0
	for _, v := range eigen.Values(nil) {
		trace += math.Sqrt(max(0, v))
	}
	return trace, nil
}
