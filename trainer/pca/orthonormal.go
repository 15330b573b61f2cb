package pca

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// krylovScratch holds the small matrices that the iteration works in.
type krylovScratch struct {
	eigen, work []float64
	single      []float32  // a small matrix in single precision
	inBasis     *mat.Dense // most x size: coefficients of a block in the basis
	gram        *mat.Dense // size x size
	transform   *mat.Dense
	product     *mat.Dense
	toH         *mat.Dense // most x size
	values      []float64  // size
}

func newKrylovScratch(a *memory.Arena, most, b int) krylovScratch {
	return krylovScratch{
		eigen: floats64(a, most, most), work: floats64(a, syevRows, most),
		single: floats32(a, most, most), inBasis: dense(a, most, b),
		gram: dense(a, b, b), transform: dense(a, b, b), product: dense(a, b, b),
		toH: dense(a, most, b), values: floats64(a, b),
	}
}

const (
	orthonormalRounds = 8    // two suffice, but for blocks of very low rank
	orthonormalError  = 4e-6 // of the products of two vectors, in float32
	minRatio          = 1e-5 // of squared lengths that float32 products resolve in one round
	emptyBlock        = 1e-20
)

// orthonormal makes the vectors of the next block orthogonal to the basis and orthonormal. With
// record, the coefficients subtracted are added to the newest columns and rows of h, and the
// transformation of the rest is stored in coupling.
//
// In each round the block is rotated by the eigenvectors of its Gram matrix and scaled. Directions
// far shorter than the longest cannot be told from rounding in one round, and are only scaled up
// part of the way for the next. Vectors that stay too short are replaced by random ones: then the
// basis spans a subspace that A maps to itself.
func (y *krylov) orthonormal(record bool) error {
	r := &y.scratch
	identity(y.coupling)
	if record {
		y.clearNewest()
	}
	for round := range orthonormalRounds {
		if y.filled > 0 {
			y.project(record)
		}
		y.t.inner(r.gram, y.next, y.next)
		if offIdentity(r.gram) <= orthonormalError {
			y.mirror(record)
			return nil
		}
		if err := y.transformBlock(round); err != nil {
			return err
		}
	}
	return errors.New("pca: a block of vectors could not be made orthonormal")
}

// clearNewest sets the newest columns of h to zero.
func (y *krylov) clearNewest() {
	y.h.Slice(0, y.filled, y.filled-y.size, y.filled).(*mat.Dense).Zero()
}

// project subtracts the block's projection on the basis.
func (y *krylov) project(record bool) {
	r := &y.scratch
	c := r.inBasis.Slice(0, y.filled, 0, y.size).(*mat.Dense)
	y.t.inner(c, y.basis(), y.next)
	y.t.subtract(y.next, y.basis(), floats(c, r.single))
	if record {
		part := r.toH.Slice(0, y.filled, 0, y.size).(*mat.Dense)
		part.Mul(c, y.coupling)
		newest := y.h.Slice(0, y.filled, y.filled-y.size, y.filled).(*mat.Dense)
		newest.Add(newest, part)
	}
}

// transformBlock is one round: next = next T and coupling = T^-1 coupling.
func (y *krylov) transformBlock(round int) error {
	r := &y.scratch
	if err := eigen(r.gram, true, r.values, r.work); err != nil {
		return err
	}
	longest := r.values[0]
	if math.IsNaN(longest) || math.IsInf(longest, 0) {
		return errors.New("pca: products of the images are not finite in float32")
	}
	if longest < emptyBlock*y.a.spreadOf() {
		y.draw(y.next)
		y.coupling.Zero()
		return nil
	}
	for j, v := range r.values {
		length := math.Sqrt(max(v, minRatio*longest))
		for i := range y.size {
			r.transform.Set(i, j, r.gram.At(i, j)/length)
			r.gram.Set(i, j, r.gram.At(i, j)*length)
		}
	}
	y.t.multiply(y.next, y.next, floats(r.transform, r.single))
	r.product.Mul(r.gram.T(), y.coupling)
	y.coupling.Copy(r.product)
	if round >= orthonormalRounds/2 {
		y.replace(minRatio * longest)
	}
	return nil
}

// replace replaces the vectors whose squared length was at most least by random ones.
func (y *krylov) replace(least float64) {
	for j, v := range y.scratch.values {
		if v > least {
			continue
		}
		key := kernel.Key{Seed: 1, Step: y.drawn, Stream: streamComponents}
		y.drawn++
		column := make([]float32, y.a.dim)
		kernel.Normal(column, key, 0)
		for i, v := range column {
			y.next.Data[i*y.size+j] = v / float32(math.Sqrt(float64(len(column))))
		}
		for i := range y.size {
			y.coupling.Set(j, i, 0)
		}
	}
}

// mirror copies the newest columns of h to its newest rows, and makes their common part symmetric.
func (y *krylov) mirror(record bool) {
	if !record {
		return
	}
	newest := y.filled - y.size
	for i := range y.filled {
		for j := newest; j < y.filled; j++ {
			if i < newest {
				y.h.Set(j, i, y.h.At(i, j))
			} else if i < j {
				v := (y.h.At(i, j) + y.h.At(j, i)) / 2
				y.h.Set(i, j, v)
				y.h.Set(j, i, v)
			}
		}
	}
}

func identity(m *mat.Dense) {
	m.Zero()
	n, _ := m.Dims()
	for i := range n {
		m.Set(i, i, 1)
	}
}

// offIdentity returns the largest magnitude of an entry of m - I; NaN if an entry is NaN.
func offIdentity(m *mat.Dense) (most float64) {
	n, _ := m.Dims()
	for i := range n {
		for j, v := range m.RawRowView(i) {
			if i == j {
				v--
			}
			most = max(most, math.Abs(v))
		}
	}
	return most
}
