package blas

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// source deals normals, and sizes, from the noise stream.
type source struct{ step uint32 }

func (s *source) fill(n int) []float32 {
	s.step++
	x := make([]float32, n)
	kernel.Normal(x, kernel.Key{Seed: 1, Step: s.step, Stream: 1 << 16}, 0)
	return x
}

func (s *source) sizes(n, limit int) []int {
	s.step++
	words, sizes := make([]uint32, n), make([]int, n)
	kernel.Bits(words, kernel.Key{Seed: 1, Step: s.step, Stream: 1 << 16}, 0)
	for i, w := range words {
		sizes[i] = int(w % uint32(limit))
	}
	return sizes
}

// matrix is a view of rows x cols normals, with pad columns before and after it.
func (s *source) matrix(rows, cols, pad int) Matrix {
	return Dense(s.fill(rows*(cols+2*pad)), rows, cols+2*pad).Slice(pad, pad+cols)
}

func at(m Matrix, t Trans, i, j int) float64 {
	if t {
		i, j = j, i
	}
	return float64(m.Data[i*m.Stride+j])
}

func dims(m Matrix, t Trans) (int, int) {
	if t {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

func copyOf(m Matrix) Matrix {
	m.Data = append([]float32(nil), m.Data...)
	return m
}

const unit = 0x1p-24 // largest relative error of one rounding

// gemmWant is element (i, j) of alpha op(a) op(b) + beta c in float64, and the bound of a float32
// product whose k terms are added in any order: (k+3) roundings of the sum of magnitudes.
func gemmWant(ta, tb Trans, alpha float32, a, b Matrix, beta float32, c Matrix, i, j int) (want, tol float64) {
	_, k := dims(a, ta)
	size := 0.0
	for l := range k {
		p := float64(alpha) * at(a, ta, i, l) * at(b, tb, l, j)
		want += p
		size += math.Abs(p)
	}
	if beta != 0 {
		p := float64(beta) * at(c, N, i, j)
		want += p
		size += math.Abs(p)
	}
	return want, float64(k+3) * unit * size
}

func checkGemm(t *testing.T, ta, tb Trans, alpha float32, a, b Matrix, beta float32, c Matrix) {
	t.Helper()
	got := copyOf(c)
	Gemm(ta, tb, alpha, a, b, beta, got)
	for i := range c.Rows {
		for j := range c.Cols {
			want, tol := gemmWant(ta, tb, alpha, a, b, beta, c, i, j)
			if g := at(got, N, i, j); !(math.Abs(g-want) <= tol) {
				t.Fatalf("ta %v tb %v a %dx%d b %dx%d alpha %v beta %v: element (%d, %d) is %v, want %v within %.2g",
					ta, tb, a.Rows, a.Cols, b.Rows, b.Cols, alpha, beta, i, j, g, want, tol)
			}
		}
	}
	for k, v := range got.Data {
		if k%c.Stride >= c.Cols && math.Float32bits(v) != math.Float32bits(c.Data[k]) {
			t.Fatalf("wrote %v beyond column %d, at %d", v, c.Cols, k)
		}
	}
}

var flags = []Trans{N, T}

func TestGemm(t *testing.T) {
	var s source
	shapes := [][]int{{1, 1, 1}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {0, 0, 0}, {65, 130, 70}, {130, 64, 257}}
	for range 12 {
		shapes = append(shapes, s.sizes(3, 70))
	}
	for _, shape := range shapes {
		m, n, k := shape[0], shape[1], shape[2]
		for _, ta := range flags {
			for _, tb := range flags {
				for pad := range 2 {
					a, b := s.matrix(m, k, pad), s.matrix(k, n, pad)
					if ta {
						a = s.matrix(k, m, pad)
					}
					if tb {
						b = s.matrix(n, k, pad)
					}
					c := s.matrix(m, n, pad)
					checkGemm(t, ta, tb, 1, a, b, 1, c)
					checkGemm(t, ta, tb, -0.7, a, b, 0.3, c)
					for i := range c.Data {
						if i%c.Stride < c.Cols {
							c.Data[i] = float32(math.NaN())
						}
					}
					checkGemm(t, ta, tb, 1.5, a, b, 0, c)
				}
			}
		}
	}
}

func TestGemv(t *testing.T) {
	var s source
	shapes := [][]int{{1, 1}, {0, 4}, {4, 0}, {0, 0}, {200, 33}}
	for range 12 {
		shapes = append(shapes, s.sizes(2, 90))
	}
	for _, shape := range shapes {
		for _, ta := range flags {
			for pad := range 2 {
				a := s.matrix(shape[0], shape[1], pad)
				m, n := dims(a, ta)
				x := s.fill(n)
				for _, beta := range []float32{0, 1, -0.4} {
					y := s.fill(m)
					if beta == 0 {
						for i := range y {
							y[i] = float32(math.NaN())
						}
					}
					got := append([]float32(nil), y...)
					Gemv(ta, 0.9, a, x, beta, got)
					for i, g := range got {
						want, tol := gemmWant(ta, N, 0.9, a, Dense(x, n, 1), beta, Dense(y, m, 1), i, 0)
						if !(math.Abs(float64(g)-want) <= tol) {
							t.Fatalf("ta %v a %dx%d beta %v: element %d is %v, want %v within %.2g", ta, a.Rows, a.Cols, beta, i, g, want, tol)
						}
					}
				}
			}
		}
	}
}

func TestGer(t *testing.T) {
	var s source
	shapes := [][]int{{1, 1}, {0, 4}, {4, 0}, {57, 40}, {7, 130}}
	for _, shape := range shapes {
		for pad := range 2 {
			a := s.matrix(shape[0], shape[1], pad)
			x, y := s.fill(a.Rows), s.fill(a.Cols)
			got := copyOf(a)
			Ger(-0.6, x, y, got)
			for i := range a.Rows {
				for j := range a.Cols {
					want, tol := gemmWant(N, N, -0.6, Dense(x, a.Rows, 1), Dense(y, 1, a.Cols), 1, a, i, j)
					if g := at(got, N, i, j); !(math.Abs(g-want) <= tol) {
						t.Fatalf("%v: element (%d, %d) is %v, want %v", shape, i, j, g, want)
					}
				}
			}
			for k, v := range got.Data {
				if k%a.Stride >= a.Cols && v != a.Data[k] {
					t.Fatalf("%v: wrote beyond the view, at %d", shape, k)
				}
			}
		}
	}
}

// TestConcurrent: products of many goroutines at once have the bits they have alone.
func TestConcurrent(t *testing.T) {
	var s source
	const m, n, k, callers = 96, 128, 80, 16
	a, b, x := s.matrix(m, k, 0), s.matrix(n, k, 0), s.fill(k)
	product := func() []float32 {
		c := make([]float32, m*n+m)
		Gemm(N, T, 1, a, b, 0, Dense(c, m, n))
		Gemv(N, 1, a, x, 0, c[m*n:])
		Ger(1, x[:m/2], c[:n], Dense(c[m*n/2:], m/2, n))
		return c
	}
	want := product()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range 20 {
				for i, v := range product() {
					if math.Float32bits(v) != math.Float32bits(want[i]) {
						t.Errorf("element %d is %v, alone %v", i, v, want[i])
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestShapePanics(t *testing.T) {
	d := func(rows, cols int) Matrix { return Dense(make([]float32, rows*cols), rows, cols) }
	v := func(n int) []float32 { return make([]float32, n) }
	short := Matrix{Rows: 2, Cols: 3, Stride: 3, Data: v(5)}
	narrow := Matrix{Rows: 2, Cols: 3, Stride: 2, Data: v(6)}
	for name, f := range map[string]func(){
		"inner":           func() { Gemm(N, N, 1, d(2, 3), d(4, 5), 0, d(2, 5)) },
		"inner, a turned": func() { Gemm(T, N, 1, d(2, 3), d(3, 5), 0, d(3, 5)) },
		"inner, b turned": func() { Gemm(N, T, 1, d(2, 3), d(3, 5), 0, d(2, 5)) },
		"rows of c":       func() { Gemm(N, N, 1, d(2, 3), d(3, 5), 0, d(3, 5)) },
		"columns of c":    func() { Gemm(N, N, 1, d(2, 3), d(3, 5), 0, d(2, 4)) },
		"short a":         func() { Gemm(N, N, 1, short, d(3, 5), 0, d(2, 5)) },
		"short b":         func() { Gemm(N, T, 1, d(4, 3), short, 0, d(4, 2)) },
		"short c":         func() { Gemm(N, N, 1, d(2, 4), d(4, 3), 0, short) },
		"stride of a":     func() { Gemm(N, N, 1, narrow, d(3, 5), 0, d(2, 5)) },
		"negative":        func() { Gemm(N, N, 1, Matrix{Rows: -1, Cols: 3, Stride: 3}, d(3, 5), 0, d(2, 5)) },
		"x":               func() { Gemv(N, 1, d(2, 3), v(2), 0, v(2)) },
		"y":               func() { Gemv(N, 1, d(2, 3), v(3), 0, v(3)) },
		"x, turned":       func() { Gemv(T, 1, d(2, 3), v(3), 0, v(3)) },
		"short, Gemv":     func() { Gemv(N, 1, short, v(3), 0, v(2)) },
		"x, Ger":          func() { Ger(1, v(3), v(3), d(2, 3)) },
		"y, Ger":          func() { Ger(1, v(2), v(2), d(2, 3)) },
		"short, Ger":      func() { Ger(1, v(2), v(3), short) },
	} {
		func() {
			defer func() {
				if r := recover(); r != errShape {
					t.Errorf("%s: panic %v, want %q", name, r, errShape)
				}
			}()
			f()
		}()
	}
}

func TestInfo(t *testing.T) {
	info := Info()
	if info.Threads != 1 {
		t.Errorf("%d threads per call, want 1", info.Threads)
	}
	if info.Library == "" || (info.Backend == "openblas") != (info.Core != "") {
		t.Errorf("%+v", info)
	}
}

func TestCoreWarning(t *testing.T) {
	for _, c := range []struct {
		core, coretype, l2 string
		cpu                level
		want               []string // parts of the warning; none: no warning
	}{
		{"SkylakeX", "", "", levelAVX512, nil},
		{"Cooperlake", "", "", levelAVX512, nil},
		{"SapphireRapids", "", "", levelAVX512, nil},
		{"Haswell", "", "", levelAVX2, nil},
		{"Zen", "", "", levelAVX2, nil},
		{"Haswell", "", "", levelAVX, nil},
		{"Haswell", "", "", levelUnknown, nil},
		{"NewLake", "", "", levelAVX512, nil}, // not judged
		{"armv8", "", "", levelUnknown, nil},
		{"Haswell", "", "", levelAVX512, []string{"Haswell", "(AVX2)", "AVX-512"}},
		{"Haswell", "Haswell", "", levelAVX512, []string{"Haswell", "AVX-512", "unset OPENBLAS_CORETYPE=Haswell"}},
		{"Prescott", "", "", levelAVX2, []string{"Prescott", "(SSE)", "AVX2"}},
		{"Sandybridge", "", "", levelAVX2, []string{"(AVX)", "AVX2"}},
		{"SkylakeX", "SkylakeX", "512", levelAVX512, []string{"OPENBLAS_L2_SIZE=512", "unset"}},
		{"Haswell", "Haswell", "512", levelAVX512, []string{"OPENBLAS_CORETYPE=Haswell", ". OPENBLAS_L2_SIZE=512"}},
	} {
		got := coreWarning(c.core, c.coretype, c.l2, c.cpu)
		if (got == "") != (len(c.want) == 0) {
			t.Errorf("%+v: %q", c, got)
		}
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%+v: %q lacks %q", c, got, part)
			}
		}
	}
}
