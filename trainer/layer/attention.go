package layer

import (
	"fmt"
	"math"

	"github.com/plume-ml/plume/blas"
	"github.com/plume-ml/plume/kernel"
	"github.com/plume-ml/plume/trainer/pool"
)

// Attention lets the T pixels of a row look at each other (Vaswani et al. 2017). A pixel of the
// input is [q | k | v], 3 C channels, and C/Heads channels in a row of each are a head. The output
// has C channels. In every head, with q, k and v of T x C/Heads and a softmax for each row of P,
//
//	y = P v,   P = softmax(s q k^T),   s = 1/sqrt(C/Heads),
//
// and with ds = s P (dP - sum_j P dP), dP = dy v^T, the gradients are
//
//	dv = P^T dy,   dq = ds k,   dk = ds^T q.
//
// Nothing is kept: P is made again on the way back.
type Attention struct{ Heads int }

// Out implements Layer.
func (a Attention) Out(in ...Shape) (Shape, error) {
	if err := one(in); err != nil {
		return Shape{}, err
	}
	c := in[0].C / 3
	if in[0].C%3 != 0 {
		return Shape{}, fmt.Errorf("got %v, needs channels for q, k and v: a multiple of 3", in[0])
	}
	if in[0].Pixels() > kernel.MaxRow {
		return Shape{}, fmt.Errorf("got %v, needs at most %d pixels", in[0], kernel.MaxRow)
	}
	if a.Heads < 1 || c%a.Heads != 0 {
		return Shape{}, fmt.Errorf("%d heads: needs a number that divides %d channels", a.Heads, c)
	}
	return Shape{in[0].H, in[0].W, c}, nil
}

// Params implements Layer.
func (Attention) Params(...Shape) []Param { return nil }

// Memory implements Layer. A block of P, and one of dP, is in memory at a time.
func (Attention) Memory(in ...Shape) Memory {
	pixels := in[0].Pixels()
	return Memory{ReadsX: true, Scratch: 2 * queries(pixels) * pixels}
}

// queries is how many rows of P are made at a time: few enough that they stay in a second-level
// cache.
func queries(pixels int) int {
	const most = 128
	return pool.Pieces(pixels, pool.Pieces(pixels, most))
}

// Bind implements Layer.
func (a Attention) Bind(v Values, in ...Shape) Pair {
	c := in[0].C / 3
	return &attention{
		products: v.Products, pixels: in[0].Pixels(), channels: c, head: c / a.Heads,
		queries: queries(in[0].Pixels()), scale: float32(1 / math.Sqrt(float64(c/a.Heads))),
	}
}

type attention struct {
	products               *blas.Backend
	pixels, channels, head int // head: channels of a head
	queries                int
	scale                  float32
}

// A block is queries lo to hi of a head, which begins with channel c, of row i.
type block struct{ i, c, lo, hi int }

// each calls f for all blocks of the given number of rows.
func (a *attention) each(rows int, f func(b block)) {
	for i := range rows {
		for c := 0; c < a.channels; c += a.head {
			for lo := 0; lo < a.pixels; lo += a.queries {
				f(block{i, c, lo, min(lo+a.queries, a.pixels)})
			}
		}
	}
}

// of is a head of x, an array of n channels: its pixels lo to hi of row i, from channel c on.
func (a *attention) of(x []float32, n, i, c, lo, hi int) blas.Matrix {
	return blas.Matrix{
		Rows: hi - lo, Cols: a.head, Stride: n, Data: x[(i*a.pixels+lo)*n+c:],
	}
}

// y is a block's pixels of y, or of dy.
func (a *attention) y(y []float32, b block) blas.Matrix {
	return a.of(y, a.channels, b.i, b.c, b.lo, b.hi)
}

// qkv is a block's q, and k and v of all pixels, of x or of dx.
func (a *attention) qkv(x []float32, b block) (q, k, v blas.Matrix) {
	n := 3 * a.channels
	return a.of(x, n, b.i, b.c, b.lo, b.hi), a.of(x, n, b.i, a.channels+b.c, 0, a.pixels),
		a.of(x, n, b.i, 2*a.channels+b.c, 0, a.pixels)
}

// weights makes a block's rows of P.
func (a *attention) weights(scratch []float32, q, k blas.Matrix) blas.Matrix {
	m := blas.Dense(scratch, q.Rows, a.pixels)
	a.products.Gemm(blas.N, blas.T, 1, q.Left(), k, 0, m)
	kernel.Softmax(m.Data, m.Data, a.scale, a.pixels)
	return m
}

func (a *attention) Forward(t *Tile) {
	a.each(t.N, func(b block) {
		q, k, v := a.qkv(t.X[0], b)
		a.products.Gemm(blas.N, blas.N, 1, a.weights(t.Scratch, q, k).Left(), v, 0, a.y(t.Y, b))
	})
}

func (a *attention) Backward(t *Tile) {
	if t.DX[0] == nil {
		return
	}
	mul := a.products.Gemm
	a.each(t.N, func(b block) {
		q, k, v := a.qkv(t.X[0], b)
		dq, dk, dv := a.qkv(t.DX[0], b)
		dy := a.y(t.DY, b)
		m := a.weights(t.Scratch, q, k)
		dm := blas.Dense(t.Scratch[len(m.Data):], m.Rows, m.Cols)

		own, all := beta(t.Add[0]), beta(t.Add[0] || b.lo > 0) // dk and dv are sums over the blocks
		mul(blas.T, blas.N, 1, m.Left(), dy, all, dv)
		mul(blas.N, blas.T, 1, dy.Left(), v, 0, dm)
		kernel.SoftmaxBackward(dm.Data, m.Data, dm.Data, a.scale, a.pixels)
		mul(blas.N, blas.N, 1, dm.Left(), k, own, dq)
		mul(blas.T, blas.N, 1, dm.Left(), q, all, dk)
	})
}
