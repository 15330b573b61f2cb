package pca

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	own "github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
	"github.com/plume-ml/plume/trainer/pool"
)

const (
	refinedResidual = 1e-4 // largest PCA.Residual that is good enough
	refinements     = 5
	exactlyOne      = 1e-12 // error of the products of two components
	minRatio64      = 1e-10
)

// refinement improves k approximate leading eigenvectors V and measures how accurate they are. They
// are made orthonormal in float64, and rotated within their span so that H = V^T A V becomes
// diagonal (Rayleigh and Ritz), with coordinates computed from V in double precision. The same pass
// gives A V, and with it the residuals. If these are too large, V is replaced by A V, the next step
// of a subspace iteration, in which errors along other eigenvectors shrink by the ratio of their
// variances.
type refinement struct {
	p         *product
	t         *tall
	v         *mat.Dense // D x k
	h         *mat.Dense // k x k
	transform *mat.Dense // k x k
	values    []float64
	work      []float64
	halves    []float32 // 2 D k: the vectors in float32, and the remainders
	tiles     pool.Scratch[[]float64]
}

// newRefinement returns a refinement of k vectors, to be stored in v; halves must have 2 D k
// numbers.
func newRefinement(a *memory.Arena, p *product, t *tall, k int, halves []float32) *refinement {
	return &refinement{
		p: p, t: t, v: dense(a, p.dim, k), h: dense(a, k, k), transform: dense(a, k, k),
		values: floats64(a, k), work: floats64(a, syevRows, k), halves: halves,
		tiles: pool.NewScratch(p.pool, func() []float64 { return floats64(a, tallRows, k) }),
	}
}

// run returns the PCA.
func (r *refinement) run() (*PCA, error) {
	last := math.Inf(1)
	for n := range refinements {
		if err := r.orthonormal(); err != nil {
			return nil, err
		}
		residual, err := r.rotate()
		if err != nil {
			return nil, err
		}
		if residual <= refinedResidual || residual > last/2 || n == refinements-1 {
			last = residual
			break
		}
		last = residual
		r.v.Copy(r.image())
	}
	scale := float64(r.p.scale)
	for i := range r.values {
		r.values[i] /= scale * scale
	}
	return r.p.newPCA(r.v, r.values, last), nil
}

// image returns A v.
func (r *refinement) image() *mat.Dense {
	dim, k := r.v.Dims()
	return mat.NewDense(dim, k, r.p.sums[:dim*k])
}

// orthonormal makes the vectors orthonormal.
func (r *refinement) orthonormal() error {
	r.fill()
	for round := range orthonormalRounds {
		r.t.gram64(r.h, r.v)
		if offIdentity(r.h) <= exactlyOne {
			return nil
		}
		if err := eigen(r.h, true, r.values, r.work); err != nil {
			return err
		}
		for j, v := range r.values {
			length := math.Sqrt(max(v, minRatio64*r.values[0]))
			for i := range r.values {
				r.transform.Set(i, j, r.h.At(i, j)/length)
			}
		}
		r.t.multiply64(r.v, r.transform, r.tiles)
		// vectors that four rounds did not scale up lie in the span of the others
		for j, v := range r.values {
			if round >= orthonormalRounds/2 && v <= minRatio64*r.values[0] {
				r.randomise(j)
			}
		}
	}
	return errors.New("pca: the components could not be made orthonormal")
}

// fill scales all vectors to length 1. Vectors of length 0 become random: sets with many equal
// images have fewer directions of variance than images.
func (r *refinement) fill() {
	dim, k := r.v.Dims()
	r.t.gram64(r.h, r.v)
	for j := range k {
		square := r.h.At(j, j)
		if square == 0 {
			r.randomise(j)
			continue
		}
		for i := range dim {
			r.v.Set(i, j, r.v.At(i, j)/math.Sqrt(square))
		}
	}
}

// randomise replaces vector j by a random one.
func (r *refinement) randomise(j int) {
	dim, _ := r.v.Dims()
	column := make([]float32, dim)
	kernel.Normal(column, kernel.Key{Seed: 2, Step: uint32(j), Stream: streamComponents}, 0)
	for i, v := range column {
		r.v.Set(i, j, float64(v)/math.Sqrt(float64(dim)))
	}
}

// rotate rotates the vectors, and A times them, to eigenvectors of H, and returns the residual (see
// PCA.Residual).
func (r *refinement) rotate() (float64, error) {
	r.split()
	k := len(r.values)
	r.h.Zero()
	err := r.p.run(func(onto []float64) {
		x := blas64.General{Rows: len(onto) / k, Cols: k, Stride: k, Data: onto}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1/float64(r.p.m-1), x, x, 1, r.h.RawMatrix())
	})
	if err != nil {
		return 0, err
	}
	if err := eigen(r.h, true, r.values, r.work); err != nil {
		return 0, err
	}
	image := r.image()
	r.t.multiply64(r.v, r.h, r.tiles)
	r.t.multiply64(image, r.h, r.tiles)
	return r.residual(image), nil
}

// residual scales image from x^T x v to A v, and returns the residual.
func (r *refinement) residual(image *mat.Dense) (most float64) {
	squares := make([]float64, len(r.values))
	dim, _ := image.Dims()
	scale := 1 / float64(r.p.m-1)
	for i := range dim {
		row, v := image.RawRowView(i), r.v.RawRowView(i)
		for j := range row {
			row[j] *= scale
			d := row[j] - r.values[j]*v[j]
			squares[j] += d * d
		}
	}
	for j, s := range squares {
		most = max(most, math.Sqrt(s)/weight(r.values[j], r.values[0]))
	}
	return most
}

// split sets the vectors of the product.
func (r *refinement) split() {
	dim, k := r.v.Dims()
	high, low := own.Dense(r.halves, dim, k), own.Dense(r.halves[dim*k:], dim, k)
	r.t.each(tallRows, func(_, lo, hi int, _ []float32) {
		halve(r.v.RawMatrix().Data[lo*k:hi*k], high.Data[lo*k:], low.Data[lo*k:])
	})
	r.p.set(high, low)
}

// halve splits x into a sum of two float32 numbers.
func halve(x []float64, high, low []float32) {
	for i, v := range x {
		high[i] = float32(v)
		low[i] = float32(v - float64(high[i]))
	}
}
