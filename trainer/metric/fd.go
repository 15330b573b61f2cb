package metric

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
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

// eachBlock calls f with consecutive blocks of n rows, the first of them number lo.
func eachBlock(rows RowSource, dim int, f func(block []float32, lo, n int)) {
	most := min(blockRows, rows.Len())
	block := make([]float32, most*dim)
	idx := make([]int, most)
	for lo := 0; lo < rows.Len(); lo += blockRows {
		n := min(blockRows, rows.Len()-lo)
		for i := range n {
			idx[i] = lo + i
		}
		rows.Gather(block[:n*dim], idx[:n])
		f(block[:n*dim], lo, n)
	}
}

func meanRow(rows RowSource, dim int) []float64 {
	mean := make([]float64, dim)
	eachBlock(rows, dim, func(block []float32, _, _ int) {
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
	room := make([]float64, min(blockRows, rows.Len())*dim)
	eachBlock(rows, dim, func(block []float32, _, n int) {
		// Transposed, because the product then runs along the rows of both factors.
		centred := mat.NewDense(dim, n, room[:dim*n])
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

// decompose sets the k leading components and their variances. The eigenvectors take the place of
// the covariance: for large images it is by far the largest matrix of a report.
func (p *PCA) decompose(cov *mat.SymDense, k int) error {
	raw := cov.RawSymmetric()
	dim := raw.N
	values, size := make([]float64, dim), []float64{0} // ascending
	lapack64.Syev(lapack.EVCompute, raw, values, size, -1)
	work := make([]float64, int(size[0]))
	if !lapack64.Syev(lapack.EVCompute, raw, values, work, len(work)) {
		return errors.New("metric: PCA: the eigenvalues of the covariance did not converge")
	}
	vectors := mat.NewDense(dim, dim, raw.Data)
	p.components = mat.NewDense(dim, k, nil)
	p.variances = make([]float64, k)
	v := make([]float64, dim)
	for c := range k {
		p.variances[c] = max(0, values[dim-1-c])
		mat.Col(v, dim-1-c, vectors)
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
