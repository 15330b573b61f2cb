package layer_test

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// TestKept: a linear layer whose factors are rounded keeps what its weight gradients read. They,
// and all that goes forward and back, are the products of package blas, bit for bit, however rows
// are cut into tiles, and into waves of whole groups.
func TestKept(t *testing.T) {
	const rows = 96
	for _, precision := range []blas.Precision{blas.BF16, blas.BF16Pairs, blas.BF16x3} {
		for _, in := range []layer.Shape{{H: 3, W: 5, C: 7}, layer.Vector(70)} {
			s := linear(33, in)
			v := s.numbers(rows)
			w := way{products: "native", precision: precision, wave: rows, tile: rows}
			whole := s.run(t, v, w)
			whole.same(t, string(precision), s.products(v, w.backend(t), rows))
			for _, cut := range []way{
				{wave: rows, tile: 5}, {wave: 32, tile: 32}, {wave: 64, tile: 7, reversed: true},
			} {
				cut.products, cut.precision = w.products, w.precision
				s.run(t, v, cut).same(t, string(precision)+", cut", whole)
			}
		}
	}
}

// products are the results of a linear layer by the products of a backend.
func (s subject) products(v numbers, b *blas.Backend, rows int) (r results) {
	in := s.in[0]
	n, channels := rows*in.Pixels(), len(v.dy)/(rows*in.Pixels())
	weights, bias := blas.Dense(v.p, in.C, channels), v.p[in.C*channels:]
	x, dy := blas.Dense(v.x[0], n, in.C), blas.Dense(v.dy, n, channels)

	r.y = make([]float32, len(v.dy))
	forward := b.Factor()
	forward.Set(blas.N, weights)
	forward.Mul(x.Left(), bias, blas.Dense(r.y, n, channels))

	r.dx = [][]float32{make([]float32, len(v.x[0]))}
	backward := b.Factor()
	backward.Set(blas.T, weights)
	backward.Mul(dy.Left(), nil, blas.Dense(r.dx[0], n, in.C))

	if b.Keeps() { // else the bias is a sum of float32
		r.grad = make([]float32, len(v.p))
		b.Gemm(blas.T, blas.N, 1, x.Left(), dy, 0, blas.Dense(r.grad, in.C, channels))
		ones := blas.Dense(slices.Repeat([]float32{1}, n), n, 1)
		sums := blas.Dense(r.grad[in.C*channels:], 1, channels)
		b.Gemm(blas.T, blas.N, 1, ones.Left(), dy, 0, sums)
	}
	return r
}
