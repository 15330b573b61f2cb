package blas

import (
	"fmt"
	"testing"
)

// whole is n integers of at most two units, so that their sums of products are exact in any order.
func (s *source) whole(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.IntN(5) - 2)
	}
	return x
}

// convolved goes through the products of a convolution one by one: y += x w and both gradients of
// the sum of y dy, all channels last.
func (of seen) convolved(channels int, x, w, dy []float32) (y, dx, dw []float32) {
	y, dx, dw = make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w))
	for i := range len(dy) / channels {
		h, v := i/of.W%of.H, i%of.W
		for tap := range of.KH * of.KW {
			down, right := tap/of.KW-of.KH/2, tap%of.KW-of.KW/2
			if h+down < 0 || h+down >= of.H || v+right < 0 || v+right >= of.W {
				continue
			}
			for c := range of.C {
				from, weights := (i+down*of.W+right)*of.C+c, (tap*of.C+c)*channels
				for j := range channels {
					y[i*channels+j] += x[from] * w[weights+j]
					dx[from] += dy[i*channels+j] * w[weights+j]
					dw[weights+j] += x[from] * dy[i*channels+j]
				}
			}
		}
	}
	return y, dx, dw
}

// TestConvolution: a convolution and both its gradients, as products of patches, are those of plain
// loops, and can be added to what is there. Numbers are small integers, whose sums are exact.
func TestConvolution(t *testing.T) {
	eachLayout(t, func(t *testing.T) {
		s := newSource(3)
		var forward, back Factor
		for _, of := range windows {
			for _, channels := range []int{1, 3, 34} {
				pixels, taps := of.pictures*of.H*of.W, of.KH*of.KW
				x, dy := s.whole(pixels*of.C), s.whole(pixels*channels)
				w := Dense(s.whole(taps*of.C*channels), taps*of.C, channels)
				y, dx, dw := of.convolved(channels, x, w.Data, dy)

				patches, got := Patches(x, of.pictures, of.Window), empty(pixels, channels)
				forward.SetConv(w, of.Window)
				forward.Mul(patches, nil, got)
				sameBits(t, fmt.Sprint("y", of), got.Data, y)
				forward.MulAdd(patches, got, true)
				sameBits(t, fmt.Sprint("y twice", of), got.Data, twice(y))

				got = empty(w.Rows, channels)
				Default().ConvGrad(1, patches, Dense(dy, pixels, channels), 0, got)
				sameBits(t, fmt.Sprint("dw", of), got.Data, dw)

				turned := of.Window
				turned.C = channels
				got = empty(pixels, of.C)
				back.SetTurned(w, turned)
				back.Mul(Patches(dy, of.pictures, turned), nil, got)
				sameBits(t, fmt.Sprint("dx", of), got.Data, dx)
				back.MulAdd(Patches(dy, of.pictures, turned), got, true)
				sameBits(t, fmt.Sprint("dx twice", of), got.Data, twice(dx))
			}
		}
	})
}

func twice(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = 2 * v
	}
	return y
}

// TestSetConv: the sums of a convolution to a few channels are those that are documented, whatever
// was in the factor before.
func TestSetConv(t *testing.T) {
	eachLayout(t, func(t *testing.T) {
		s := newSource(1)
		var f Factor
		for _, of := range windows {
			for _, channels := range []int{1, 3, 12, 13} {
				x, taps := s.fill(of.pictures*of.H*of.W*of.C), of.KH*of.KW
				patches := Patches(x, of.pictures, of.Window)
				w, bias := s.spread(taps*of.C, channels), s.fill(channels)
				want, got := empty(patches.m.Rows, channels), empty(patches.m.Rows, channels)
				blank(got)
				f.SetConv(w, of.Window)
				f.Mul(patches, bias, got)
				if !spreads(taps, of.C, channels) {
					f.Set(N, w)
					f.Mul(patches, bias, want)
					sameBits(t, fmt.Sprint(of, channels), got.Data, want.Data)
					continue
				}
				p := &product{
					m: want.Rows, n: channels, k: w.Rows, alpha: 1, beta: 1,
					a: of.written(x), b: w, c: empty(want.Rows, channels),
				}
				for i := range want.Rows {
					copy(row(p.c, i), bias)
					copy(row(want, i), bias)
				}
				for tap := range taps {
					lo, hi := tap*of.C, (tap+1)*of.C
					sum := empty(channels, want.Rows) // the weights are the left factor
					Default().Gemm(T, T, 1, w.rows(lo, hi).Left(), p.a.Slice(lo, hi), 0, sum)
					for i := range want.Data {
						want.Data[i] += at(sum, T, i/channels, i%channels)
					}
				}
				p.same(t, fmt.Sprint(of), got, want)
			}
		}
	})
}

// TestConvGrad: the gradient of weights is the product that its comment names, whole and of some
// taps, whichever side is gathered.
func TestConvGrad(t *testing.T) {
	eachLayout(t, func(t *testing.T) {
		s, pair := newSource(2), 0
		for _, of := range windows {
			for _, channels := range []int{1, 3, 34} {
				left, written := s.patches(of)
				taps := of.KH * of.KW
				lo := s.IntN(taps)
				for _, cut := range [][2]int{{0, taps}, {lo, lo + 1 + s.IntN(taps-lo)}} {
					lo, hi := cut[0]*of.C, cut[1]*of.C
					p := s.product(T, N, hi-lo, channels, left.m.Rows).with(pair)
					pair++
					p.a, p.b = written.Slice(lo, hi), Dense(s.fill(p.k*p.n), p.k, p.n)
					got := p.prepared()
					Default().ConvGrad(p.alpha, left.Slice(lo, hi), p.b, p.beta, got)
					want := p.done
					if Default().Precision() != Float32 && gathersOutput(of.C, channels) {
						want = func() Matrix { return of.turnedGrad(p, left.m.Data, cut) }
					}
					if p.alpha == 1 {
						p.same(t, fmt.Sprint(of, cut), got, want())
					}
					p.check(t, got)
				}
			}
		}
	})
}

// turnedGrad is the gradient of some taps as the product of the patches of dy, which is p.b, and
// the pixels.
func (of seen) turnedGrad(p *product, pixels []float32, taps [2]int) Matrix {
	output := of
	output.C = p.n
	all, n := of.KH*of.KW, taps[1]-taps[0]
	dy := output.written(p.b.Data).Slice((all-taps[1])*p.n, (all-taps[0])*p.n)
	x := Dense(pixels, p.k, of.C)
	turned := empty(n*p.n, of.C)
	place := func(i, j int) *float32 { // of row i of dw in the turned gradient
		return &turned.Data[((n-1-i/of.C)*p.n+j)*of.C+i%of.C]
	}
	c := p.prepared()
	for i := range c.Rows {
		for j := range c.Cols {
			*place(i, j) = at(c, N, i, j)
		}
	}
	Default().Gemm(T, N, p.alpha, dy.Left(), x, p.beta, turned)
	for i := range c.Rows {
		for j := range c.Cols {
			row(c, i)[j] = *place(i, j)
		}
	}
	return c
}

// TestGathersOutput: the side that is gathered is the one with fewer channels, unless that would
// waste the columns of tiles.
func TestGathersOutput(t *testing.T) {
	for _, d := range []struct {
		c, channels int
		output      bool
	}{{32, 3, true}, {3, 32, false}, {64, 32, true}, {32, 32, false}, {33, 32, false}} {
		if gathersOutput(d.c, d.channels) != d.output {
			t.Errorf("%+v is not what happens", d)
		}
	}
}

// TestConvNoAllocation: after the first convolution of a size, to a few channels, others allocate
// nothing.
func TestConvNoAllocation(t *testing.T) {
	for _, name := range Available() {
		if name == gonumBackend.name {
			continue // its products may start goroutines
		}
		use(t, name)
		noIdle()
		s := newSource(3)
		left, _ := s.patches(seen{Window{5, 7, 16, 3, 3}, 10})
		w, y := s.spread(9*16, 3), empty(350, 3)
		f := Default().Factor()
		f.ReserveConv(left.window, 3, func(n int) []float32 { return make([]float32, n) })
		if count := testing.AllocsPerRun(10, func() {
			f.SetConv(w, left.window)
			f.Mul(left, nil, y)
			Default().ConvGrad(1, left, y, 1, w)
		}); count != 0 {
			t.Errorf("%s: %v allocations", name, count)
		}
	}
}
