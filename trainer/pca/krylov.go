package pca

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// krylov is block Lanczos with thick restarts (Golub and Underwood 1977; Wu and Simon 2000) for the
// leading eigenvectors of the covariance A. An orthonormal basis Q grows by A times its newest
// block, orthogonalised against the basis. The eigenvectors of H = Q^T A Q give the best
// approximations within its span; when the basis is full, they become the basis. A block has as
// many vectors as components are wanted: a smaller block could miss some of a cluster of equal
// variances without any sign of it. Every block is orthogonalised against the whole basis, since
// with rounding eigenvectors would otherwise appear more than once.
//
// Basis vectors are in float32, so products with A have errors of some 1e-7 of the largest
// variance. Small variances are corrected afterwards (refinement).
type krylov struct {
	a        *product
	t        *tall
	k, size  int         // components, vectors of a block
	q        blas.Matrix // D x most; the first columns are the basis
	filled   int         // number of these
	next     blas.Matrix // D x size: the next block
	drawn    uint32      // blocks of random numbers drawn so far
	h        *mat.Dense  // most x most
	coupling *mat.Dense  // size x size: A (newest block) = Q h + next coupling
	values   []float64   // eigenvalues of h, descending
	before   []float64   // those of the previous step
	vectors  *mat.Dense  // eigenvectors of h, as columns in that order
	scratch  krylovScratch
	refined  *refinement
}

// Streams of the noise that this package draws (trainer/ALGORITHM.md, section 9).
const streamComponents kernel.Stream = 19 // first vectors of the search for principal components

const (
	maxPasses       = 100  // over the images
	basisBlocks     = 6    // in a full basis
	krylovTolerance = 1e-5 // of residuals (see PCA.Residual), estimated from h
	settled         = 1e-5 // change of the variances below which residuals are computed
)

// blockSize returns the number of vectors of a block for k components.
func blockSize(k int) int { return max(16, k) }

// basisSize returns the largest number of vectors of a basis: six blocks, or as many as dim allows.
func basisSize(dim, k int) int {
	b := blockSize(k)
	return min(basisBlocks*b, dim/b*b)
}

func newKrylov(a *memory.Arena, x *images, k int) *krylov {
	b, most := blockSize(k), basisSize(x.dim, k)
	y := &krylov{
		a: newProduct(a, x, b, k), t: newTall(a, x.pool, x.dim, most, b), k: k, size: b,
		q: dense32(a, x.dim, most), next: dense32(a, x.dim, b),
		h: dense(a, most, most), coupling: dense(a, b, b),
		values: floats64(a, most), before: floats64(a, k),
		scratch: newKrylovScratch(a, most, b),
	}
	y.refined = newRefinement(a, y.a, y.t, k, y.q.Data)
	return y
}

// search returns the k leading eigenvectors, D x k.
func (y *krylov) search() (blas.Matrix, error) {
	y.draw(y.next)
	if err := y.orthonormal(false); err != nil {
		return blas.Matrix{}, err
	}
	for {
		y.extend()
		if err := y.step(); err != nil {
			return blas.Matrix{}, err
		}
		need, err := y.needVectors()
		if err != nil {
			return blas.Matrix{}, err
		}
		if !need {
			continue
		}
		if err := y.eigen(true); err != nil {
			return blas.Matrix{}, err
		}
		if y.a.pass >= y.a.most || y.converged() {
			y.keep(y.k)
			return y.basis(), nil
		}
		if y.full() {
			y.restart()
		}
	}
}

// draw fills m with normal random numbers, new ones each time.
func (y *krylov) draw(m blas.Matrix) {
	key := kernel.Key{Seed: 1, Step: y.drawn, Stream: streamComponents}
	y.drawn++
	y.t.each(tallRows, func(_, lo, hi int, _ []float32) {
		for i := lo; i < hi; i++ {
			kernel.Normal(m.Data[i*m.Stride:][:m.Cols], key, uint64(i)*kernel.Groups(m.Cols))
		}
	})
}

func (y *krylov) basis() blas.Matrix { return y.q.Slice(0, y.filled) }

// full reports whether the basis has no space for another block.
func (y *krylov) full() bool { return y.filled+y.size > y.q.Cols }

// extend appends the next block to the basis.
func (y *krylov) extend() {
	y.t.each(tallRows, func(_, lo, hi int, _ []float32) {
		for i := lo; i < hi; i++ {
			copy(y.q.Data[i*y.q.Stride+y.filled:][:y.size], y.next.Data[i*y.size:])
		}
	})
	y.filled += y.size
}

// step multiplies the newest block by A, fills its part of h, and makes the next block.
func (y *krylov) step() error {
	y.a.set(y.next, blas.Matrix{})
	if err := y.a.run(nil); err != nil {
		return err
	}
	scale := 1 / float64(y.a.m-1)
	y.t.each(tallRows, func(_, lo, hi int, _ []float32) {
		for i := lo * y.size; i < hi*y.size; i++ {
			y.next.Data[i] = float32(scale * y.a.sums[i])
		}
	})
	return y.orthonormal(true)
}

// needVectors reports whether to compute eigenvectors: when the eigenvalues, which take a tenth of
// the time, have settled since the previous step, and when the search cannot continue without them.
func (y *krylov) needVectors() (bool, error) {
	if y.full() || y.a.pass >= y.a.most {
		return true, nil
	}
	if err := y.eigen(false); err != nil {
		return false, err
	}
	settledAll := true
	for i, v := range y.values[:y.k] {
		settledAll = settledAll && math.Abs(v-y.before[i]) <= settled*weight(v, y.values[0])
	}
	copy(y.before, y.values)
	return settledAll, nil
}

// weight returns the scale of the residual of a component of this variance.
func weight(variance, largest float64) float64 { return max(variance, largest/100) }

// converged reports whether the residuals of all wanted eigenvectors are small.
func (y *krylov) converged() bool {
	newest := y.filled - y.size
	for c := range y.k {
		square := 0.0
		for i := range y.size {
			r := 0.0
			for j := range y.size {
				r += y.coupling.At(i, j) * y.vectors.At(newest+j, c)
			}
			square += r * r
		}
		if !(math.Sqrt(square) <= krylovTolerance*weight(y.values[c], y.values[0])) {
			return false
		}
	}
	return true
}

// keep makes the n leading eigenvectors the basis.
func (y *krylov) keep(n int) {
	s := y.vectors.Slice(0, y.filled, 0, n).(*mat.Dense)
	y.t.multiply(y.q, y.basis(), floats(s, y.scratch.single))
	y.filled = n
}

// restart continues with the leading eigenvectors, more of them than are wanted.
func (y *krylov) restart() {
	n := min(y.k+y.size/2, y.q.Cols-2*y.size)
	y.keep(n)
	y.h.Zero()
	for i := range n {
		y.h.Set(i, i, y.values[i])
	}
}

// eigen computes the eigenvalues of the filled part of h, and with vectors its eigenvectors.
func (y *krylov) eigen(vectors bool) error {
	n := y.filled
	y.vectors = mat.NewDense(n, n, y.scratch.eigen[:n*n])
	y.vectors.Copy(y.h)
	return eigen(y.vectors, vectors, y.values, y.scratch.work)
}
