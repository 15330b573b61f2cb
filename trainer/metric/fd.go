package metric

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// The PCA-64 FD is the Fréchet distance (Dowson and Landau 1982) between samples and training
// images, both seen as Gaussians, in the 64 leading principal components of the training images.
// It compares pixels, not the features of a classifier: it is not the FID.

// RowSource is a set of images, such as a data.Dataset. Gather writes image idx[i] to
// dst[i*D:(i+1)*D].
type RowSource interface {
	Len() int
	Gather(dst []float32, idx []int)
}

const (
	maxPCADim = 4096 // values per image: the decomposition takes D^3 operations
	blockRows = 512  // images in memory at a time
)

// PCA holds the leading principal components of a set of images, and its mean and variances, the
// reference of Distance. It is not changed after FitPCA and may be used concurrently.
type PCA struct {
	mean       []float64  // D
	components *mat.Dense // D x K, orthonormal columns
	variances  []float64  // K, descending
	total      float64    // variance of all D components
}

// FitPCA finds the min(k, D, M-1) leading principal components of all M rows of dim values each,
// in float64: mean first, then the covariance (over M - 1) of the centred rows. Of the two signs
// of a component, the one that makes its largest entry positive is taken.
//
// Fewer than two rows, no variance, a value that is not finite, or more than 4,096 values in a row
// are errors.
func FitPCA(rows RowSource, dim, k int) (*PCA, error) {
	m := rows.Len()
	switch {
	case m < 2:
		return nil, fmt.Errorf("metric: PCA of %d images, expected 2 or more", m)
	case dim < 1 || k < 1:
		return nil, fmt.Errorf("metric: %d components of %d dimensions, expected 1 or more of both", k, dim)
	case dim > maxPCADim:
		return nil, fmt.Errorf("metric: PCA of images of %d values, expected %d or fewer", dim, maxPCADim)
	}
	p := &PCA{mean: meanRow(rows, dim)}
	cov := covariance(rows, p.mean)
	if p.total = mat.Trace(cov); !finite(p.total) {
		return nil, errors.New("metric: PCA of images with values that are not finite")
	}
	if p.total == 0 {
		return nil, fmt.Errorf("metric: PCA of %d equal images, expected some variance", m)
	}
	if err := p.decompose(cov, min(k, dim, m-1)); err != nil {
		return nil, err
	}
	return p, nil
}

// eachBlock calls f with consecutive blocks of n rows.
func eachBlock(rows RowSource, dim int, f func(block []float32, n int)) {
	block := make([]float32, blockRows*dim)
	idx := make([]int, blockRows)
	for lo := 0; lo < rows.Len(); lo += blockRows {
		n := min(blockRows, rows.Len()-lo)
		for i := range n {
			idx[i] = lo + i
		}
		rows.Gather(block[:n*dim], idx[:n])
		f(block[:n*dim], n)
	}
}

func meanRow(rows RowSource, dim int) []float64 {
	mean := make([]float64, dim)
	eachBlock(rows, dim, func(block []float32, n int) {
		for i, v := range block {
			mean[i%dim] += float64(v)
		}
	})
	for j := range mean {
		mean[j] /= float64(rows.Len())
	}
	return mean
}

func covariance(rows RowSource, mean []float64) *mat.SymDense {
	dim := len(mean)
	cov := mat.NewSymDense(dim, nil)
	scale := 1 / float64(rows.Len()-1)
	eachBlock(rows, dim, func(block []float32, n int) {
		// Transposed, because the product then runs along the rows of both factors.
		centred := mat.NewDense(dim, n, nil)
		for j := range dim {
			row := centred.RawRowView(j)
			for i := range row {
				row[i] = float64(block[i*dim+j]) - mean[j]
			}
		}
		cov.SymRankK(cov, scale, centred)
	})
	return cov
}

// decompose sets the k leading components and their variances.
func (p *PCA) decompose(cov *mat.SymDense, k int) error {
	var eigen mat.EigenSym
	if !eigen.Factorize(cov, true) {
		return errors.New("metric: PCA: the eigenvalues of the covariance did not converge")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // ascending
	dim := len(values)
	p.components = mat.NewDense(dim, k, nil)
	p.variances = make([]float64, k)
	for c := range k {
		p.variances[c] = max(0, values[dim-1-c])
		v := mat.Col(nil, dim-1-c, &vectors)
		if sign(v) < 0 {
			for i := range v {
				v[i] = -v[i]
			}
		}
		p.components.SetCol(c, v)
	}
	return nil
}

// sign is the sign of the largest entry of v, the first of equals.
func sign(v []float64) float64 {
	largest := v[0]
	for _, x := range v {
		if math.Abs(x) > math.Abs(largest) {
			largest = x
		}
	}
	return largest
}

// K is the number of components.
func (p *PCA) K() int { return len(p.variances) }

// FractionOfVariance is the share of the training images' variance that the components hold.
func (p *PCA) FractionOfVariance() float64 {
	sum := 0.0
	for _, v := range p.variances {
		sum += v
	}
	return sum / p.total
}

// Distance is the PCA-64 FD of n samples (n x D, clamped to [-1, 1] here; the argument stays as
// it is) from the training images: with means a, b and covariances A, B in the leading components,
//
//	|a - b|^2 + tr(A + B - 2 (A^{1/2} B A^{1/2})^{1/2}).
//
// It is 0 for the training images themselves. Two finite sets of the same distribution are some way
// apart, too: compare distances at equal n. Fewer than two samples and values that are not finite are errors.
func (p *PCA) Distance(samples []float32, n int) (float64, error) {
	dim := len(p.mean)
	if len(samples) != n*dim {
		panic(panicLength)
	}
	if n < 2 {
		return 0, fmt.Errorf("metric: PCA-64 FD of %d samples, expected 2 or more", n)
	}
	for i, v := range samples {
		if !finite(float64(v)) {
			return 0, fmt.Errorf("metric: PCA-64 FD: sample %d holds %v", i/dim, v)
		}
	}
	mean, cov := moments(p.project(samples, n))
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
func (p *PCA) project(samples []float32, n int) *mat.Dense {
	dim := len(p.mean)
	out := mat.NewDense(n, p.K(), nil)
	for lo := 0; lo < n; lo += blockRows {
		hi := min(lo+blockRows, n)
		centred := mat.NewDense(hi-lo, dim, nil)
		for i := lo; i < hi; i++ {
			row := centred.RawRowView(i - lo)
			for j, v := range samples[i*dim : (i+1)*dim] {
				row[j] = min(1, max(-1, float64(v))) - p.mean[j]
			}
		}
		out.Slice(lo, hi, 0, p.K()).(*mat.Dense).Mul(centred, p.components)
	}
	return out
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
