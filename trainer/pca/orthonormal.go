package pca

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/memory"
)

// krylovRoom is the small matrices that the iteration works in.
type krylovRoom struct {
	eigen, work []float64
	turning     []float32  // eigenvectors, or a basis' coefficients
	inBasis     *mat.Dense // most x size: coefficients of a block in the basis
	gram        *mat.Dense // size x size
	turn        *mat.Dense
	product     *mat.Dense
	toH         *mat.Dense // most x size
	values      []float64  // size
}

func newKrylovRoom(a *memory.Arena, most, b int) krylovRoom {
	return krylovRoom{
		eigen: floats64(a, most, most), work: floats64(a, syevRows, most),
		turning: floats32(a, most, most), inBasis: dense(a, most, b),
		gram: dense(a, b, b), turn: dense(a, b, b), product: dense(a, b, b),
		toH: dense(a, most, b), values: floats64(a, b),
	}
}

const (
	orthonormalRounds = 8    // two are enough for all but blocks of hardly any rank
	orthonormalError  = 4e-6 // of the products of two vectors: what float32 leaves
	leastRatio        = 1e-5 // of squared lengths: what float32 products tell apart in one round
	emptyBlock        = 1e-20
)

// orthonormal makes the vectors of the next block orthogonal to the basis and to each other, and
// orthonormal. With record, what it takes off goes to the newest columns and rows of h, and what it
// makes of the rest to coupling.
//
// In each round the block is turned by the eigenvectors of its Gram matrix and scaled. Directions
// far shorter than the longest are not told well from rounding, and only brought nearer: the next
// round sees more of them. What stays too short has nothing to do with A, and is replaced by random
// vectors: then a space is exhausted that A maps to itself.
func (y *krylov) orthonormal(record bool) error {
	r := &y.room
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
		if err := y.turnBlock(round); err != nil {
			return err
		}
	}
	return errors.New("pca: a block of vectors could not be made orthonormal")
}

// clearNewest empties the newest columns of h.
func (y *krylov) clearNewest() {
	y.h.Slice(0, y.filled, y.filled-y.size, y.filled).(*mat.Dense).Zero()
}

// project takes off what lies in the basis.
func (y *krylov) project(record bool) {
	r := &y.room
	c := r.inBasis.Slice(0, y.filled, 0, y.size).(*mat.Dense)
	y.t.inner(c, y.basis(), y.next)
	y.t.subtract(y.next, y.basis(), floats(c, r.turning))
	if record {
		part := r.toH.Slice(0, y.filled, 0, y.size).(*mat.Dense)
		part.Mul(c, y.coupling)
		newest := y.h.Slice(0, y.filled, y.filled-y.size, y.filled).(*mat.Dense)
		newest.Add(newest, part)
	}
}

// turnBlock is one round: next = next T and coupling = T^-1 coupling.
func (y *krylov) turnBlock(round int) error {
	r := &y.room
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
		length := math.Sqrt(max(v, leastRatio*longest))
		for i := range y.size {
			r.turn.Set(i, j, r.gram.At(i, j)/length)
			r.gram.Set(i, j, r.gram.At(i, j)*length)
		}
	}
	y.t.turn(y.next, y.next, floats(r.turn, r.turning))
	r.product.Mul(r.gram.T(), y.coupling)
	y.coupling.Copy(r.product)
	if round >= orthonormalRounds/2 {
		y.replace(leastRatio * longest)
	}
	return nil
}

// replace replaces vectors whose squared length was at most the least by random ones.
func (y *krylov) replace(least float64) {
	for j, v := range y.room.values {
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

// mirror fills the newest rows of h from its columns, and makes their common part symmetric.
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

// offIdentity is the largest entry of m less the identity; NaN if one is.
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
