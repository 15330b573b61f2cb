package blas

import "testing"

// panics fails if f does not panic with the message.
func panics(t *testing.T, what, message string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if r := recover(); r != message {
			t.Errorf("%s: panic %v, want %q", what, r, message)
		}
	}()
	f()
}

func empty(rows, cols int) Matrix { return Dense(make([]float32, rows*cols), rows, cols) }

// Views that are no matrices: one number short, with overlapping rows, with a negative number of
// rows.
var (
	short    = Matrix{Rows: 2, Cols: 3, Stride: 3, Data: make([]float32, 5)}
	narrow   = Matrix{Rows: 2, Cols: 3, Stride: 2, Data: make([]float32, 6)}
	negative = Matrix{Rows: -1, Cols: 3, Stride: 3}
)

// TestShapePanics: shapes that do not fit are programming errors.
func TestShapePanics(t *testing.T) {
	d := empty
	gemm := func(tl, tr Trans, left, right, c Matrix) func() {
		return func() { Default().Gemm(tl, tr, 1, left.Left(), right, 0, c) }
	}
	for name, f := range map[string]func(){
		"inner":               gemm(N, N, d(2, 3), d(4, 5), d(2, 5)),
		"inner, a transposed": gemm(T, N, d(2, 3), d(3, 5), d(3, 5)),
		"inner, b transposed": gemm(N, T, d(2, 3), d(3, 5), d(2, 5)),
		"rows of c":           gemm(N, N, d(2, 3), d(3, 5), d(3, 5)),
		"columns of c":        gemm(N, N, d(2, 3), d(3, 5), d(2, 4)),
		"short a":             gemm(N, N, short, d(3, 5), d(2, 5)),
		"short b":             gemm(N, T, d(4, 3), short, d(4, 2)),
		"short c":             gemm(N, N, d(2, 4), d(4, 3), short),
		"stride of a":         gemm(N, N, narrow, d(3, 5), d(2, 5)),
		"negative":            gemm(N, N, negative, d(3, 5), d(2, 5)),
	} {
		panics(t, name, errShape, f)
	}
}

// TestFactorPanics: a factor is used after Set, with shapes that fit.
func TestFactorPanics(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		d := empty
		var unset, f Factor
		panics(t, "before Set", errUnset, func() { unset.Mul(d(2, 3).Left(), nil, d(2, 5)) })
		panics(t, "Set to a short matrix", errShape, func() { unset.Set(N, short) })
		panics(
			t, "after a failed Set", errUnset, func() { unset.Mul(d(2, 2).Left(), nil, d(2, 3)) },
		)
		f.Set(T, d(5, 3))
		for name, mul := range map[string]func(){
			"inner":                 func() { f.Mul(d(2, 4).Left(), nil, d(2, 5)) },
			"inner, not transposed": func() { f.Mul(d(2, 5).Left(), nil, d(2, 3)) },
			"rows of c":             func() { f.Mul(d(2, 3).Left(), nil, d(3, 5)) },
			"columns of c":          func() { f.Mul(d(2, 3).Left(), nil, d(2, 4)) },
			"short a":               func() { f.Mul(short.Left(), nil, d(2, 5)) },
			"stride of a":           func() { f.Mul(narrow.Left(), nil, d(2, 5)) },
			"negative":              func() { f.Mul(negative.Left(), nil, d(2, 5)) },
			"inner, added":          func() { f.MulAdd(d(2, 4).Left(), d(2, 5), true) },
			"short c": func() {
				c := Matrix{Rows: 2, Cols: 5, Stride: 5, Data: make([]float32, 9)}
				f.Mul(d(2, 3).Left(), nil, c)
			},
			"bias":            func() { f.Mul(d(2, 3).Left(), make([]float32, 4), d(2, 5)) },
			"long bias":       func() { f.Mul(d(2, 3).Left(), make([]float32, 6), d(2, 5)) },
			"bias of nothing": func() { f.Mul(d(2, 3).Left(), []float32{}, d(2, 5)) },
		} {
			panics(t, name, errShape, mul)
		}
	})
}

// TestNoAllocation: after the first native product of a size, others of that size allocate nothing.
func TestNoAllocation(t *testing.T) {
	use(t, "native")
	noIdle() // each would grow once
	s := newSource(1)
	var f Factor
	for _, d := range [][3]int{
		{1, 1, 1}, {29, 33, 40}, {blockM + 1, 20, 30}, {5, 9, blockK + 1}, {1, blockN + 1, 2},
		{20, 40, 5},
	} {
		eachTrans(func(ta, tb Trans) {
			p := s.wide(s.product(ta, tb, d[0], d[1], d[2]).with(1), 2048)
			c, left, bias := copyOf(p.c), s.spread(d[0], d[2]), s.fill(d[1])
			for name, mul := range map[string]func(){
				"Gemm":   func() { Default().Gemm(ta, tb, p.alpha, p.a.Left(), p.b, p.beta, c) },
				"Set":    func() { f.Set(tb, p.b) },
				"Mul":    func() { f.Set(tb, p.b); f.Mul(left.Left(), bias, c) },
				"MulAdd": func() { f.Set(tb, p.b); f.MulAdd(left.Left(), c, true) },
			} {
				if count := testing.AllocsPerRun(3, mul); count != 0 {
					t.Errorf("%s, %v: %v allocations", name, p, count)
				}
			}
		})
	}
}
