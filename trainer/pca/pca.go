// Package pca finds the leading principal components of a set of images (Fit), and in them compares
// other images with that set (PCA.Distance, PCA.Features).
//
// The PCA-64 FD (PCA.Distance) is the Fréchet distance (Dowson and Landau 1982) between samples
// and training images, both seen as Gaussians, in the 64 leading principal components of the
// training images. It compares pixels, not the features of a classifier: it is not the FID.
//
// Sums have one order: results have the same bits with any number of workers. Matrix products are
// computed by the present default of package blas, whose choice shows in the last bits.
package pca

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/trainer/data"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

// PCA is the leading principal components of a set of images, with its mean and variances. It does
// not change after Fit and may be used concurrently.
type PCA struct {
	mean       []float64  // D
	components *mat.Dense // D x K, orthonormal columns
	variances  []float64  // K, descending
	total      float64    // variance of all D components
	residual   float64
	bounded    bool // all training values lie in [-1, 1]
}

// Options say how Fit works. They do not change the result.
type Options struct {
	Pool *pool.Pool  // nil: the caller works alone
	Pass func(n int) // called when pass n over the images begins; may be nil
}

// Fit finds the min(k, D, M-1) leading principal components of all M rows of dim values each. The
// mean and the total variance (over M - 1) are summed in float64. Small problems are solved as a
// whole: few values by their covariance, few images by their products with one another. Otherwise a
// block Lanczos iteration with products in float32 finds the leading components alone (krylov);
// Residual says how accurately. The same rows give the same bits with any pool. The sign of a
// component is the one that makes its largest entry positive.
//
// All workers call Gather at once, so it must not use the pool. Fit ends with ctx's error soon
// after ctx ends. Fewer than two rows, no variance and values that are not finite are errors.
func Fit(ctx context.Context, rows data.Rows, dim, k int, o Options) (*PCA, error) {
	m := rows.Len()
	switch {
	case m < 2:
		return nil, fmt.Errorf("pca: components of %d images, expected 2 or more", m)
	case dim < 1 || k < 1:
		return nil, fmt.Errorf("pca: %d components of %d dimensions, expected 1 or more of both", k,
			dim)
	}
	x, w := newFit(nil, m, dim, k, o.Pool)
	x.ctx, x.rows, x.onPass = ctx, rows, o.Pass
	if err := x.center(); err != nil {
		return nil, err
	}
	return w.find()
}

// way finds the components of images that are centred.
type way interface{ find() (*PCA, error) }

// newFit returns the images, still without rows, and the way to find their components, with arrays
// from the arena.
func newFit(a *memory.Arena, m, dim, k int, p *pool.Pool) (*images, way) {
	x := newImages(a, m, dim, p)
	k = max(1, min(k, dim, m-1))
	switch {
	case dim <= denseSize(k):
		return x, newCovariance(a, x, k)
	case m <= denseSize(k):
		return x, newGram(a, x, k)
	}
	return x, newKrylov(a, x, k)
}

// denseSize is the number of values, or of images, up to which a matrix of them all is decomposed.
// Lanczos would need as much memory.
func denseSize(k int) int { return max(256, 4*blockSize(k)) }

// newPCA returns a PCA with the given components (D x K), whose signs it chooses, and their
// variances in descending order. It keeps both.
func (x *images) newPCA(components *mat.Dense, variances []float64, residual float64) *PCA {
	v := make([]float64, x.dim)
	for c := range variances {
		variances[c] = max(0, variances[c])
		mat.Col(v, c, components)
		if sign(v) < 0 {
			for i := range v {
				components.Set(i, c, -v[i])
			}
		}
	}
	return &PCA{
		mean: x.mean, components: components, variances: variances, total: x.total,
		residual: residual, bounded: !x.beyond.Load(),
	}
}

// sign returns the entry of v of largest magnitude, the first of equals.
func sign(v []float64) float64 {
	largest := v[0]
	for _, x := range v {
		if math.Abs(x) > math.Abs(largest) {
			largest = x
		}
	}
	return largest
}

// Parts is what coordinates in the components depend on, to be stored.
type Parts struct {
	Mean       []float64 // D
	Components []float64 // D x K, orthonormal columns
	Variances  []float64 // K
	Bounded    bool      // values are clamped to [-1, 1]
}

// Parts returns the parts. They are not copies.
func (p *PCA) Parts() Parts {
	return Parts{p.mean, p.components.RawMatrix().Data, p.variances, p.bounded}
}

// Of returns the PCA of the parts, which it keeps. It knows neither FractionOfVariance nor
// Residual, and returns NaN for both.
func Of(p Parts) *PCA {
	k := len(p.Variances)
	return &PCA{
		mean: p.Mean, components: mat.NewDense(len(p.Mean), k, p.Components),
		variances: p.Variances, total: math.NaN(), residual: math.NaN(), bounded: p.Bounded,
	}
}

// K returns the number of components.
func (p *PCA) K() int { return len(p.variances) }

// FractionOfVariance returns the share of the training images' variance that the components hold.
func (p *PCA) FractionOfVariance() float64 {
	sum := 0.0
	for _, v := range p.variances {
		sum += v
	}
	return sum / p.total
}

// Residual returns how far the components are from eigenvectors: the largest of |A v - s v| /
// max(s, s_1/100) over the components v and their variances s, s_1 the largest, with A the
// covariance. The relative error of a variance is below it.
func (p *PCA) Residual() float64 { return p.residual }

// Converged reports whether Residual is at most 1e-4. Fit gives up after 100 passes over images
// that have very many components of nearly the same variance; those that it returns are orthonormal
// nevertheless, and their variances accurate.
func (p *PCA) Converged() bool { return p.residual <= refinedResidual }
