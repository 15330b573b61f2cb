package kernel

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// documentedTile is the loop in MulTile's comment, for tiles of any shape.
func documentedTile(o *operands) {
	c, start, a, b := o.f[0], o.f[1], o.f[2], o.f[3]
	for i := range o.rows {
		row := c[i*o.ldc:][:o.cols]
		copy(row, start[i*o.lds:])
		for k := range o.d {
			for j, v := range row {
				row[j] = fma32(a[i*o.rs+k*o.cs+k/(o.d/o.parts)*o.jump], b[k*o.cols+j], v)
			}
		}
	}
}

// documentedRows is the same for several tiles.
func documentedRows(o *operands) {
	c, start, a, b := o.f[0], o.f[1], o.f[2], o.f[3]
	for i := range o.rows {
		row := c[i*o.ldc:][:o.cols]
		copy(row, start[i*o.lds:])
		from := i/o.high*o.high*o.next + i%o.high*o.rs
		for k := range o.d {
			for j, v := range row {
				row[j] = fma32(a[from+k*o.cs], b[k*o.cols+j], v)
			}
		}
	}
}

// factors are those of a product of m x k and k x n numbers, and the row that every row of it
// starts from.
type factors struct {
	m, n, k     int
	a           []float32
	rs, cs      int // a's strides
	b           []float32
	transposed  bool // b is n x k
	start       []float32
	part, alpha float32 // share of the depth in the first tiles; factor of b, if not transposed
}

// product multiplies as tiles of the path in use do it: over two parts of the depth, and with a
// last panel of b that may be padded.
func (f *factors) product() []float32 {
	rows, cols := TileShape()
	wide := (f.n + cols - 1) / cols * cols
	c, panel := make([]float32, f.m*wide), make([]float32, f.k*cols)
	start := append(f.start, make([]float32, wide-f.n)...)
	part := int(f.part * float32(f.k))
	for j := 0; j < f.n; j += cols {
		f.pack(panel, j, cols)
		for i := 0; i < f.m; i += rows {
			n, tile, a := min(rows, f.m-i), c[i*wide+j:], f.a[i*f.rs:]
			MulTile(tile, wide, start[j:], 0, a, f.rs, f.cs, 0, panel, n, part, 1)
			MulTile(
				tile, wide, tile, wide, a[part*f.cs:], f.rs, f.cs, 0, panel[part*cols:], n,
				f.k-part, 1,
			)
		}
	}
	out := make([]float32, f.m*f.n)
	PackRows(out, f.n, c, wide, f.n, f.m, 1)
	return out
}

// pack makes the panel of b's columns from j on.
func (f *factors) pack(panel []float32, j, cols int) {
	if have := min(cols, f.n-j); f.transposed {
		PackColumns(panel, cols, f.b[j*f.k:], f.k, have, f.k)
	} else {
		PackRows(panel, cols, f.b[j:], f.n, have, f.k, f.alpha)
	}
}

// element is element i, j of the product: one chain in the order of the depth.
func (f *factors) element(i, j int) float32 {
	sum := f.start[j]
	for k := range f.k {
		sum = fma32(f.a[i*f.rs+k*f.cs], f.right(k, j), sum)
	}
	return sum
}

// right is element k, j of b as it enters the product.
func (f *factors) right(k, j int) float32 {
	if f.transposed {
		return f.b[j*f.k+k]
	}
	return f.alpha * f.b[k*f.n+j]
}

// TestProducts: a product has the same bits on every path, whatever the shapes of its tiles.
func TestProducts(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 1))
		for range 60 {
			f := factors{
				m: 1 + r.IntN(40), n: 1 + r.IntN(80), k: 1 + r.IntN(60), part: r.Float32(),
				alpha: 1.7,
			}
			f.transposed, f.rs, f.cs = r.IntN(2) == 1, f.k, 1
			if r.IntN(2) == 1 {
				f.rs, f.cs = 1, f.m
			}
			f.a, f.b, f.start = fill(f.m*f.k), fill(f.k*f.n), fill(f.n)
			want := make([]float32, f.m*f.n)
			for at := range want {
				want[at] = f.element(at/f.n, at%f.n)
			}
			same(
				t, fmt.Sprintf("product of %d x %d and %d x %d", f.m, f.k, f.k, f.n), f.product(),
				want,
			)
		}
	})
}

// TestTileComparisonFails: what a tile may do wrong in one place is seen.
func TestTileComparisonFails(t *testing.T) {
	chain := func(o *operands, add func(k int, a, b float32)) {
		for k := range o.d {
			add(k, o.f[2][o.rs+k*o.cs+k/(o.d/o.parts)*o.jump], o.f[3][k*o.cols])
		}
	}
	wrongs := []struct {
		what string
		does func(o *operands, wrong *float32)
		want string
	}{
		{"is right", func(*operands, *float32) {}, ""},
		{"rounds products", func(o *operands, sum *float32) {
			*sum = o.f[1][o.lds]
			chain(o, func(_ int, a, b float32) { *sum += float32(a * b) })
		}, "c["},
		{"starts last", func(o *operands, sum *float32) {
			*sum = 0
			chain(o, func(_ int, a, b float32) { *sum = fma32(a, b, *sum) })
			*sum += o.f[1][o.lds]
		}, "c["},
		{"leaves out one", func(o *operands, sum *float32) {
			*sum = o.f[1][o.lds]
			chain(o, func(k int, a, b float32) {
				if k != 4 {
					*sum = fma32(a, b, *sum)
				}
			})
		}, "c["},
		{"writes between rows", func(o *operands, _ *float32) { o.f[0][o.ldc-1] = 1 }, "c["},
	}
	k := kernelNamed("mulTile")
	r := newRig(t)
	r.prepare(k, shape{rows: 3, d: 300, cols: genericCols}, newSource(5, usual))
	if r.in.ldc == r.in.cols {
		t.Fatal("nothing lies between the rows of the tile")
	}
	r.refer(k)
	for _, w := range wrongs {
		wrong := &path{
			name: "wrong",
			mulTile: func(c []float32, ldc int, start []float32, lds int, a []float32,
				rs, cs, jump int, b []float32, rows, n, parts int) {
				o := &operands{
					rows: rows, d: n * parts, cols: genericCols, ldc: ldc, lds: lds, rs: rs, cs: cs,
					parts: parts, jump: jump,
					f: [6][]float32{c, start, a, b},
				}
				documentedTile(o)
				w.does(o, &c[ldc])
			},
		}
		err := r.against(k, wrong, between, 3, nil)
		if got := fmt.Sprint(err); w.want == "" && err != nil || !strings.HasPrefix(got, w.want) {
			t.Errorf("a tile that %s: %v, want %s", w.what, err, w.want)
		}
	}
}

// TestMulRows: many rows are tile after tile, each from its place.
func TestMulRows(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		high, cols := TileShape()
		const n = 7
		r := newSource(2, usual)
		for _, rows := range []int{1, high, high + 1, 3*high - 1} {
			ldc, lds, next := cols+2, cols+1, n+3 // tiles are packed: rows side by side
			tiles := (rows + high - 1) / high
			a, b := make([]float32, tiles*high*next), make([]float32, n*cols)
			start := make([]float32, rows*lds)
			r.numbers(a)
			r.numbers(b)
			r.numbers(start)
			got, want := make([]float32, rows*ldc), make([]float32, rows*ldc)
			MulRows(got, ldc, start, lds, a, 1, high, next, b, rows, n)
			for i := 0; i < rows; i += high {
				MulTile(want[i*ldc:], ldc, start[i*lds:], lds, a[i*next:], 1, high, 0, b,
					min(high, rows-i), n, 1)
			}
			same(t, "MulRows", got, want)
		}
	})
}
