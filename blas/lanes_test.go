package blas

import (
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// laneCases are lanes of few rows, of none, of more than a block, and of rows counted from another.
var laneCases = []Lanes{
	{Ends: []int{5, 9}, Each: 1},
	{Ends: []int{64, 96, 97, 161, 225, 289, 353, 417}, Each: 1},
	{Ends: []int{3, 3, 8, 10, 10}, Each: 7},
	{Ends: []int{104, 107, 115}, First: 100, Each: 3},
	{Ends: []int{1100, 1133, 1140}, Each: 1},
}

func (l Lanes) total() int {
	_, rows := l.rows(len(l.Ends) - 1)
	return rows
}

// treeOf is the sum of lanes lo to hi by its definition from the top; of computes that of a lane
// with rows.
func (l Lanes) treeOf(lo, hi int, size int, of func(first, last int) []float32) []float32 {
	if hi-lo == 1 {
		if first, last := l.rows(lo); first < last {
			return of(first, last)
		}
		return make([]float32, size)
	}
	half := 1
	for 2*half < hi-lo {
		half *= 2
	}
	sum := l.treeOf(lo, lo+half, size, of)
	for i, v := range l.treeOf(lo+half, hi, size, of) {
		sum[i] += v
	}
	return sum
}

// TestGradLanes: each lane is the product of its rows, and they are added along the tree.
func TestGradLanes(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(31)
		for _, l := range laneCases {
			for _, d := range [][2]int{{1, 1}, {90, 70}, {200, 37}, {1030, 6}} {
				p := s.product(T, N, d[0], d[1], l.total())
				x := p.a
				want := l.treeOf(0, len(l.Ends), d[0]*d[1], func(lo, hi int) []float32 {
					c := Dense(blanks(d[0]*d[1]), d[0], d[1])
					Default().Gemm(T, N, 0.3, x.rows(lo, hi).Left(), p.b.rows(lo, hi), 0, c)
					return c.Data
				})
				got := Dense(blanks(d[0]*(d[1]+3)), d[0], d[1]+3).Slice(2, 2+d[1])
				Default().GradLanes(l, 0.3, x.Left(), p.b, got)
				sameMatrix(t, got, Dense(want, d[0], d[1]))
			}
		}
	})
}

// TestWeightGradLanes: the same of factors that are kept, with the sums, each lane's times a scale.
func TestWeightGradLanes(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		s := newSource(32)
		for _, l := range laneCases {
			for _, d := range [][2]int{{1, 1}, {97, 100}, {300, 37}} {
				p := s.product(T, N, d[0], d[1], l.total())
				x, dy := kept(p.a), kept(p.b)
				size := (d[0] + 1) * d[1]
				want := l.treeOf(0, len(l.Ends), size, func(lo, hi int) []float32 {
					all := blanks(size)
					c := Dense(all, d[0], d[1])
					Default().WeightGrad(x.Rows(lo, hi).Left(), dy.Rows(lo, hi), 0, c,
						all[d[0]*d[1]:])
					kernel.Scale(all, 0.7)
					return all
				})
				got, sums := Dense(blanks(d[0]*d[1]), d[0], d[1]), blanks(d[1])
				Default().WeightGradLanes(l, 0.7, x.Left(), dy, got, sums)
				sameMatrix(t, got, Dense(want, d[0], d[1]))
				sameMatrix(t, Dense(sums, 1, d[1]), Dense(want[d[0]*d[1]:], 1, d[1]))
			}
		}
	})
}

// TestConvGradLanes: the same of the patches of whole pictures.
func TestConvGradLanes(t *testing.T) {
	eachProducts(t, func(t *testing.T) {
		s := newSource(33)
		l := Lanes{Ends: []int{2, 3, 3, 5}, Each: 1}
		for _, channels := range []int{3, 40} {
			win := Window{H: 5, W: 4, C: 20, KH: 3, KW: 3}
			pixels := l.Times(win.H * win.W)
			patches := Patches(s.fill(pixels.total()*win.C), l.total(), win)
			dy := Dense(s.fill(pixels.total()*channels), pixels.total(), channels)
			size := 9 * win.C * channels
			want := pixels.treeOf(0, len(l.Ends), size, func(lo, hi int) []float32 {
				c := Dense(blanks(size), 9*win.C, channels)
				Default().ConvGrad(0.3, patches.rows(lo, hi), dy.rows(lo, hi), 0, c)
				return c.Data
			})
			got := Dense(blanks(size), 9*win.C, channels)
			Default().ConvGradLanes(pixels, 0.3, patches, dy, got)
			sameMatrix(t, got, Dense(want, 9*win.C, channels))
		}
	})
}

// TestWinogradLanes: the same of convolutions in squares, from some of the channels.
func TestWinogradLanes(t *testing.T) {
	use(t, "native")
	s := newSource(34)
	l := Lanes{Ends: []int{2, 3, 3, 5}, Each: 1}
	const channels, first, n = 18, 3, 16
	win := Window{H: 6, W: 4, C: 20, KH: 3, KW: 3}
	pixels := l.Times(win.H * win.W)
	patches := Patches(s.fill(pixels.total()*win.C), l.total(), win)
	dy := Dense(s.fill(pixels.total()*channels), pixels.total(), channels)
	sums := blanks(WinogradSums(win, n, channels))
	size := (8*win.C + n) * channels
	want := pixels.treeOf(0, len(l.Ends), size, func(lo, hi int) []float32 {
		c := make([]float32, size)
		Default().WinogradGrad(patches.rows(lo, hi), first, n, dy.rows(lo, hi), 0, sums)
		Default().WinogradTaps(sums, n, win.C, 0.3, Dense(c, 8*win.C+n, channels))
		return c
	})
	got := make([]float32, size)
	to := Dense(got, 8*win.C+n, channels)
	Default().WinogradLanes(pixels, 0.3, patches, first, n, dy, sums, to)
	sameBits(t, "dw", got, want)
}

func sameMatrix(t *testing.T, got, want Matrix) {
	t.Helper()
	for i := range want.Rows {
		for j := range want.Cols {
			if g, w := got.Data[i*got.Stride+j], want.Data[i*want.Stride+j]; g != w {
				t.Fatalf("row %d, column %d: %v, expected %v", i, j, g, w)
			}
		}
	}
}
