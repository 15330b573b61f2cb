package kernel

import (
	"math"
	"testing"
)

var winogradRaws = []raw{
	{
		kernel: "winogradInput",
		args:   params{out("dst", fourWritten), in("src", fourRead)},
		call:   func(p *path, o *operands) { callPlanes(p.winogradInput, o) },
	},
	{
		kernel: "winogradOutput",
		args:   params{out("dst", twoWritten), in("src", fourRead)},
		call:   func(p *path, o *operands) { callPlanes(p.winogradOutput, o) },
	},
	{
		kernel: "winogradOutputAdd",
		args:   params{inOut("dst", twoWritten), in("src", fourRead)},
		call:   func(p *path, o *operands) { callPlanes(p.winogradOutputAdd, o) },
	},
	{
		kernel: "winogradGrad",
		args:   params{out("dst", fourWritten), in("src", twoRead)},
		call:   func(p *path, o *operands) { callPlanes(p.winogradGrad, o) },
	},
}

func callPlanes(
	f func(dst []float32, dp, ldd int, src []float32, sp, lds, cols, rows int), o *operands,
) {
	f(o.f[0], o.toApart, o.toRow, o.f[1], o.apart, o.row, o.d, o.rows)
}

func winogradFittings() []fitting {
	const cols, rows = 19, 3
	four := 3*rows*cols + (rows-1)*cols + cols // planes one after the other
	two := cols + (rows-1)*2*cols + cols       // row by row
	apart := func(x []float32) Planes { return Planes{x, rows * cols, cols} }
	pairs := func(x []float32) Planes { return Planes{x, cols, 2 * cols} }
	return []fitting{
		{
			"WinogradInput", []int{four, 3*cols + (rows-1)*2*cols + cols},
			func(s [][]float32) { WinogradInput(apart(s[0]), pairs(s[1]), cols, rows) },
		},
		{
			"WinogradOutput", []int{two, four},
			func(s [][]float32) { WinogradOutput(pairs(s[0]), apart(s[1]), cols, rows) },
		},
		{
			"WinogradOutputAdd", []int{two, four},
			func(s [][]float32) { WinogradOutputAdd(pairs(s[0]), apart(s[1]), cols, rows) },
		},
		{
			"WinogradGrad", []int{four, two},
			func(s [][]float32) { WinogradGrad(apart(s[0]), pairs(s[1]), cols, rows) },
		},
		{
			"WinogradGrad of nothing", nil,
			func([][]float32) { WinogradGrad(Planes{}, Planes{}, 0, 3) },
		},
	}
}

// TestWinograd: the products of the transforms are the convolution, and its gradient by the
// weights. Small integers make every number exact.
func TestWinograd(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		const n, pairs = 37, 4
		r := newSource(1, integers)
		x, g, dy := make([]float32, (2*pairs+2)*n), make([]float32, 3), make([]float32, 2*pairs*n)
		r.numbers(x)
		r.numbers(g)
		r.numbers(dy)
		in, grad := planesOf(4, pairs, n), planesOf(4, pairs, n)
		WinogradInput(in, Planes{x, n, 2 * n}, n, pairs)
		WinogradGrad(grad, Planes{dy, n, 2 * n}, n, pairs)
		u := []float32{g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]}
		products, du := planesOf(4, pairs, n), make([]float64, 4)
		for i, v := range in.Data {
			k := i / (pairs * n)
			products.Data[i] = u[k] * v
			du[k] += float64(v) * float64(grad.Data[i])
		}
		y, sum := make([]float32, len(dy)), make([]float32, len(dy))
		copy(sum, dy)
		WinogradOutput(Planes{y, n, 2 * n}, products, n, pairs)
		WinogradOutputAdd(Planes{sum, n, 2 * n}, products, n, pairs)
		var dg [3]float64
		for i := range y {
			want := g[0]*x[i] + g[1]*x[i+n] + g[2]*x[i+2*n]
			if y[i] != want || sum[i] != dy[i]+want {
				t.Fatalf("output %d is %v, and added %v, want %v", i, y[i], sum[i], want)
			}
			for k := range dg {
				dg[k] += float64(dy[i]) * float64(x[i+k*n])
			}
		}
		half := (du[1] + du[2]) / 2
		if got := [3]float64{du[0] + half, (du[1] - du[2]) / 2, half + du[3]}; got != dg {
			t.Errorf("the gradient by the weights is %v, want %v", got, dg)
		}
	})
}

// planesOf are planes one after the other.
func planesOf(planes, rows, cols int) Planes {
	x := make([]float32, planes*rows*cols)
	for i := range x {
		x[i] = float32(math.NaN()) // to be overwritten
	}
	return Planes{x, rows * cols, cols}
}

// TestWinogradLong: planes of more numbers than a call takes are cut, in rows and in columns.
func TestWinogradLong(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, d := range [][2]int{{MaxRow/4 + 5, 2}, {MaxRow/8 + 1, 3}} {
			cols, rows := d[0], d[1]
			x := make([]float32, 2*rows*cols)
			for i := range x {
				x[i] = float32(i % 4099)
			}
			got := planesOf(4, rows, cols)
			WinogradGrad(got, Planes{x, rows * cols, cols}, cols, rows)
			for i := range rows * cols {
				e0, e1 := x[i], x[rows*cols+i]
				for k, want := range []float32{e0, e0 + e1, e0 - e1, e1} {
					if v := got.Data[k*rows*cols+i]; v != want {
						t.Fatalf("%v: number %d of plane %d is %v, want %v", d, i, k, v, want)
					}
				}
			}
		}
	})
}
