package layer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/trainer/layer"
)

// TestKept: a layer whose factors are rounded keeps what its weight gradients read. They, and all
// that goes forward and back, are the products of package blas, bit for bit, however rows are cut
// into tiles, and into waves of whole groups.
func TestKept(t *testing.T) {
	const rows = 96
	picture := func(h, w, c int) layer.Shape { return layer.Shape{H: h, W: w, C: c} }
	for _, precision := range []blas.Precision{blas.BF16, blas.BF16Pairs, blas.BF16x3} {
		for _, s := range []subject{
			linear(33, picture(3, 5, 7)), linear(33, layer.Vector(70)),
			convolution(3, 40, picture(4, 6, 32)), convolution(3, 7, picture(8, 8, 64)),
			convolution(3, 65, picture(1, 10, 32)), convolution(5, 33, picture(2, 32, 32)),
			convolution(3, 35, picture(3, 5, 32)), convolution(3, 20, picture(4, 4, 7)),
		} {
			v := s.numbers(rows)
			w := way{products: "native", precision: precision, wave: rows, tile: rows}
			whole := s.run(t, v, w)
			whole.same(t, s.name(precision), s.products(v, w.backend(t), rows))
			for _, cut := range []way{
				{wave: rows, tile: 5}, {wave: 32, tile: 32}, {wave: 64, tile: 7, reversed: true},
			} {
				cut.products, cut.precision = w.products, w.precision
				s.run(t, v, cut).same(t, s.name(precision)+", cut", whole)
			}
		}
	}
}

func (s subject) name(p blas.Precision) string { return fmt.Sprint(p, " ", s.layer, s.in) }

// convolution is a layer without a model of its own.
func convolution(size, channels int, in layer.Shape) subject {
	return subject{layer: layer.Conv{Channels: channels, Size: size}, in: []layer.Shape{in}}
}

// products are the results of a linear layer or a convolution by the products of a backend.
func (s subject) products(v numbers, b *blas.Backend, rows int) (r results) {
	in := s.in[0]
	n, channels := rows*in.Pixels(), len(v.dy)/(rows*in.Pixels())
	seen := blas.Window{H: in.H, W: in.W, C: in.C, KH: 1, KW: 1}
	if c, is := s.layer.(layer.Conv); is {
		seen.KH, seen.KW = c.Size, c.Size
	}
	if in.H == 1 {
		seen.KH = 1
	}
	back, taps := seen, seen.KH*seen.KW
	back.C = channels
	weights, bias := blas.Dense(v.p, taps*in.C, channels), v.p[taps*in.C*channels:]
	x, dy := blas.Patches(v.x[0], rows, seen), blas.Dense(v.dy, n, channels)

	r.y = make([]float32, len(v.dy))
	forward := b.Factor()
	forward.SetConv(weights, seen)
	forward.Mul(x, bias, blas.Dense(r.y, n, channels))

	r.dx = [][]float32{make([]float32, len(v.x[0]))}
	backward := b.Factor()
	backward.SetTurned(weights, back)
	backward.Mul(blas.Patches(v.dy, rows, back), nil, blas.Dense(r.dx[0], n, in.C))

	if b.Keeps() { // else the bias is a sum of float32
		r.grad = make([]float32, len(v.p))
		b.Gemm(blas.T, blas.N, 1, x, dy, 0, blas.Dense(r.grad, taps*in.C, channels))
		ones := blas.Dense(slices.Repeat([]float32{1}, n), n, 1)
		sums := blas.Dense(r.grad[taps*in.C*channels:], 1, channels)
		b.Gemm(blas.T, blas.N, 1, ones.Left(), dy, 0, sums)
	}
	return r
}
