package blas

import (
	"fmt"
	"testing"
)

// seen is some pictures, and what their pixels see.
type seen struct {
	Window
	pictures int
}

// windows are kernels of one and of several pixels, on pictures larger and smaller than they are.
// The last ones are beyond a block of the native backend, and beyond the rows that are gathered for
// a library, in one direction.
var windows = []seen{
	{Window{1, 1, 1, 1, 1}, 1}, {Window{5, 4, 3, 1, 1}, 2}, {Window{1, 1, 4, 3, 3}, 3},
	{Window{2, 1, 3, 5, 5}, 2}, {Window{1, 2, 1, 3, 5}, 1}, {Window{3, 3, 1, 3, 3}, 2},
	{Window{9, 7, 3, 3, 3}, 2}, {Window{4, 5, 4, 5, 3}, 1}, {Window{1, 9, 33, 1, 3}, 2},
	{Window{6, 1, 5, 3, 1}, 2}, {Window{4, 3, 32, 3, 3}, 1}, {Window{3, 2, 1, 7, 7}, 1},
	{Window{1, 11, 2, 1, 5}, 3}, {Window{3, 2, 128, 3, 3}, 1}, {Window{2, 3, 42, 5, 5}, 1},
	{Window{9, 7, 1, 3, 3}, 17}, {Window{30, 15, 22, 3, 3}, 1}, {Window{1, 300, 11, 1, 5}, 2},
	{Window{11, 9, 3, 3, 3}, 3}, {Window{5, 26, 7, 3, 3}, 2}, {Window{20, 26, 1, 3, 3}, 2},
	{Window{1, 1100, 1, 1, 3}, 1}, {Window{1, 2, 400, 1, 3}, 1}, {Window{2, 2, 130, 3, 3}, 1},
	{Window{4, 6, 16, 3, 3}, 3}, {Window{10, 4, 37, 3, 3}, 2}, {Window{2, 30, 70, 3, 3}, 2},
}

// patches are those of random pictures, and the same written out.
func (s *source) patches(of seen) (left Left, written Matrix) {
	data := s.fill(of.pictures * of.H * of.W * of.C)
	return Patches(data, of.pictures, of.Window), of.written(data)
}

// written is the patches by the documentation's formula.
func (of seen) written(data []float32) Matrix {
	m := empty(of.pictures*of.H*of.W, of.KH*of.KW*of.C)
	for i := range m.Rows {
		n, h, w := i/(of.H*of.W), i/of.W%of.H, i%of.W
		for j := range m.Cols {
			y, x := h+j/(of.KW*of.C)-of.KH/2, w+j/of.C%of.KW-of.KW/2
			if y >= 0 && y < of.H && x >= 0 && x < of.W {
				row(m, i)[j] = data[((n*of.H+y)*of.W+x)*of.C+j%of.C]
			}
		}
	}
	return m
}

// eachPatches calls f for the patches of all windows, whole and cut to ranges of their columns.
func eachPatches(s *source, f func(what string, left Left, written Matrix)) {
	for _, of := range windows {
		left, written := s.patches(of)
		f(fmt.Sprint(of), left, written)
		for range 3 {
			lo := s.IntN(written.Cols)
			hi := lo + 1 + s.IntN(written.Cols-lo)
			inside := s.IntN(hi - lo)
			f(fmt.Sprint(of, lo, hi), left.Slice(lo, hi), written.Slice(lo, hi))
			f(
				fmt.Sprint(of, lo+inside, hi), left.Slice(lo, hi).Slice(inside, hi-lo),
				written.Slice(lo+inside, hi),
			)
		}
	}
}

// by is the product of a left factor that stands for p.a.
func (p *product) by(left Left) Matrix {
	c := p.prepared()
	Default().Gemm(p.ta, p.tb, p.alpha, left, p.b, p.beta, c)
	return c
}

// same compares with the product of what is written out: the bits if they cannot depend on cuts.
func (p *product) same(t *testing.T, what string, got, want Matrix) {
	t.Helper()
	if Default().CutFree() {
		sameBits(t, fmt.Sprint(what, p), got.Data, want.Data)
	}
	p.check(t, got)
}

// TestPatches: products of patches are those of the patches written out.
func TestPatches(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s, pair := newSource(1), 0
		eachPatches(s, func(what string, left Left, written Matrix) {
			eachTrans(func(ta, tb Trans) {
				m, k := ta.shape(written)
				for _, n := range []int{1, 33} {
					p := s.product(ta, tb, m, n, k).with(pair)
					p.a = written
					pair++
					p.same(t, what, p.by(left), p.done())
				}
			})
		})
	})
}

// TestPatchesByFactor: the same by a factor, from a bias.
func TestPatchesByFactor(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(2)
		var f Factor
		eachPatches(s, func(what string, left Left, written Matrix) {
			for _, tb := range flags {
				p, bias := s.factored(tb, [3]int{written.Rows, 35, written.Cols}, true)
				p.a = written
				f.Set(tb, p.b)
				got := copyOf(p.c)
				blank(got)
				f.Mul(left, bias, got)
				p.same(t, what, got, p.mul(&f, bias))
			}
		})
	})
}

// TestSetTurned: the factor is the documented one, and what is reserved for it is what it needs.
func TestSetTurned(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(4)
		for _, d := range []struct {
			seen Window
			c    int
		}{
			{Window{4, 5, 4, 1, 1}, 5}, {Window{4, 5, 33, 3, 3}, 3}, {Window{4, 5, 7, 1, 3}, 40},
			{Window{4, 5, 1, 5, 5}, 1},
		} {
			taps, c, channels := d.seen.KH*d.seen.KW, d.c, d.seen.C
			w := s.spread(taps*c, channels)
			p, bias := s.factored(N, [3]int{20, c, taps * channels}, true)
			for i := range p.k {
				for j := range c {
					row(p.b, i)[j] = row(w, (taps-1-i/channels)*c+j)[i%channels]
				}
			}
			f, plain := Default().Factor(), Default().Factor()
			floats := func(n int) []float32 { return make([]float32, n) }
			f.ReserveTurned(c, d.seen, floats)
			if n := testing.AllocsPerRun(10, func() { f.SetTurned(w, d.seen) }); n != 0 {
				t.Errorf("%v: SetTurned allocates %v times after ReserveTurned", d, n)
			}
			plain.Set(N, p.b)
			p.same(t, fmt.Sprint(d), p.mul(&f, bias), p.mul(&plain, bias))
		}
	})
}

// TestGuardPatches: products of patches touch nothing before or after their operands.
func TestGuardPatches(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		f, s := newFence(t), newSource(5)
		for _, of := range windows {
			data := s.fill(of.pictures * of.H * of.W * of.C)
			for _, ta := range flags {
				m, k := ta.shape(of.written(data))
				p := &product{
					ta: ta, tb: N, m: m, n: 5, k: k, alpha: 1, c: empty(m, 5),
					a: Dense(data, of.pictures*of.H*of.W, of.C), b: Dense(s.fill(5*k), k, 5),
				}
				for ends := range 8 {
					q := f.around(p, ends)
					f.run(q, ends, func() {
						left := Patches(q.a.Data, of.pictures, of.Window)
						Default().Gemm(ta, N, 1, left, q.b, 0, q.c)
					})
				}
			}
		}
	})
}

// TestPatchesPanics: windows that are none, and pictures that are too few, are programming errors.
func TestPatchesPanics(t *testing.T) {
	good := Window{3, 2, 4, 3, 3}
	for name, wrong := range map[string]func(w *Window){
		"no height": func(w *Window) { w.H = 0 }, "no width": func(w *Window) { w.W = 0 },
		"no channels": func(w *Window) { w.C = 0 }, "even": func(w *Window) { w.KH = 2 },
		"even width": func(w *Window) { w.KW = 4 }, "negative": func(w *Window) { w.KW = -1 },
	} {
		w := good
		wrong(&w)
		panics(t, name, errShape, func() { Patches(make([]float32, 100), 1, w) })
	}
	panics(t, "short", errShape, func() { Patches(make([]float32, 23), 1, good) })
	panics(t, "negative pictures", errShape, func() { Patches(make([]float32, 24), -1, good) })
	left := Patches(make([]float32, 24), 1, good)
	for _, cut := range [][2]int{{-1, 5}, {30, 37}, {5, 4}} {
		part := left.Slice(cut[0], cut[1])
		b, c := empty(max(0, cut[1]-cut[0]), 2), empty(6, 2)
		panics(t, fmt.Sprint(cut), errShape, func() { Default().Gemm(N, N, 1, part, b, 0, c) })
	}
	var f Factor
	for _, w := range []Window{{}, {2, 2, 2, 2, 2}, {2, 2, 2, 5, 1}, {2, 2, 3, 3, 3}} {
		panics(t, fmt.Sprint(w), errShape, func() { f.SetTurned(empty(9, 2), w) })
		panics(t, fmt.Sprint(w), errShape, func() { f.SetConv(empty(18, 2), w) })
	}
}

// TestPatchesNoAllocation: after the first product of a size, others allocate nothing. gonum's
// products may start goroutines.
func TestPatchesNoAllocation(t *testing.T) {
	for _, name := range Available() {
		if name == gonumBackend.name {
			continue
		}
		use(t, name)
		noIdle()
		s := newSource(6)
		left, written := s.patches(seen{Window{5, 7, 4, 3, 3}, 10})
		n, t35 := s.product(N, N, written.Rows, 35, written.Cols), empty(written.Cols, 35)
		f := Default().Factor()
		f.Set(N, n.b)
		if count := testing.AllocsPerRun(10, func() {
			f.Mul(left, nil, n.c)
			Default().Gemm(T, N, 1, left, n.c, 1, t35)
		}); count != 0 {
			t.Errorf("%s: %v allocations", name, count)
		}
	}
}
