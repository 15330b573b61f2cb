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
	refinedResidual = 1e-4 // what PCA.Residual may be
	refinements     = 5
	exactlyOne      = 1e-12 // error of the products of two components
	leastRatio64    = 1e-10
)

// refinement improves k vectors that span the leading eigenvectors about, and measures how well:
// they are made orthonormal in float64, and turned within their span so that H = V^T A V becomes
// diagonal (Rayleigh and Ritz), H from coordinates whose products are with the vectors as float64
// holds them. The same pass gives A V, and with it the residuals. Where these are too large, A V,
// the next step of a subspace iteration, takes the place of V: what rounding left of other
// eigenvectors shrinks by the ratio of their variances.
type refinement struct {
	p      *product
	t      *tall
	v      *mat.Dense // D x k
	h      *mat.Dense // k x k
	turn   *mat.Dense // k x k
	values []float64
	work   []float64
	halves []float32 // 2 D k: the vectors in float32, and what that leaves of them
	tiles  pool.Scratch[[]float64]
}

// newRefinement is of k vectors, which v is to hold; halves is room for 2 D k numbers.
func newRefinement(a *memory.Arena, p *product, t *tall, k int, halves []float32) *refinement {
	return &refinement{
		p: p, t: t, v: dense(a, p.dim, k), h: dense(a, k, k), turn: dense(a, k, k),
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

// image is A v.
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
			length := math.Sqrt(max(v, leastRatio64*r.values[0]))
			for i := range r.values {
				r.turn.Set(i, j, r.h.At(i, j)/length)
			}
		}
		r.t.turn64(r.v, r.turn, r.tiles)
		// what four rounds did not bring to length lies in the span of the others
		for j, v := range r.values {
			if round >= orthonormalRounds/2 && v <= leastRatio64*r.values[0] {
				r.randomise(j)
			}
		}
	}
	return errors.New("pca: the components could not be made orthonormal")
}

// fill brings all vectors to length 1. Those of length 0 become random: of equal images there are
// more than of directions in which they differ.
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

// randomise makes vector j a random one.
func (r *refinement) randomise(j int) {
	dim, _ := r.v.Dims()
	column := make([]float32, dim)
	kernel.Normal(column, kernel.Key{Seed: 2, Step: uint32(j), Stream: streamComponents}, 0)
	for i, v := range column {
		r.v.Set(i, j, float64(v)/math.Sqrt(float64(dim)))
	}
}

// rotate turns the vectors, and A's images of them, to eigenvectors of H, and returns the
// residual (see PCA.Residual).
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
	r.t.turn64(r.v, r.h, r.tiles)
	r.t.turn64(image, r.h, r.tiles)
	return r.residual(image), nil
}

// residual turns image from x^T x v to A v.
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

// split gives the product the vectors.
func (r *refinement) split() {
	dim, k := r.v.Dims()
	high, low := own.Dense(r.halves, dim, k), own.Dense(r.halves[dim*k:], dim, k)
	r.t.each(tallRows, func(_, lo, hi int, _ []float32) {
		halve(r.v.RawMatrix().Data[lo*k:hi*k], high.Data[lo*k:], low.Data[lo*k:])
	})
	r.p.set(high, low)
}

// halve writes x as the sum of two float32 numbers.
func halve(x []float64, high, low []float32) {
	for i, v := range x {
		high[i] = float32(v)
		low[i] = float32(v - float64(high[i]))
	}
}
