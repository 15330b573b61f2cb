package blas

import (
	"slices"
	"testing"
)

// eachKeeping runs a test in every precision whose rounded factors can be kept, in all its layouts.
func eachKeeping(t *testing.T, test func(t *testing.T)) {
	eachNative(t, func(t *testing.T) {
		if Default().Keeps() {
			test(t)
		}
	})
}

// kept is a matrix as the default backend keeps it, in memory that held NaN.
func kept(m Matrix) Rounded {
	r := Default().Rounded(m.Rows, m.Cols, blanks)
	r.Set(m)
	return r
}

// keptShapes are of x^T dy: columns of x and of dy, and rows.
var keptShapes = [][3]int{
	{1, 1, 1}, {33, 31, 5}, {64, 32, 32}, {7, 65, 33}, {97, 100, 95}, {130, 40, 70}, {40, 3, 1100},
}

// TestWeightGrad: it is the chains of x^T dy, bit for bit, and the sums are those of another row of
// ones; also by parts of the columns, and of the rows where these are whole groups.
func TestWeightGrad(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		s := newSource(21)
		for _, d := range keptShapes {
			p := s.product(T, N, d[0], d[1], d[2])
			for _, beta := range []float32{0, 1} {
				p.beta = beta
				want := p.chain()
				sums := s.fill(p.n)
				total := *p
				total.m, total.a = 1, ofOnes(p.k)
				total.c = Dense(slices.Clone(sums), 1, p.n)
				wantSums := total.chain().Data
				if beta == 0 {
					sums = blanks(p.n)
				}
				got := p.prepared()
				x, dy := kept(p.a), kept(p.b)
				for lo := 0; lo < p.k; lo += 64 {
					rows := min(64, p.k-lo)
					part := beta
					if lo > 0 {
						part = 1
					}
					weightGrad(x.Rows(lo, lo+rows), dy.Rows(lo, lo+rows), part, got, sums)
				}
				p.sameRows(t, got, want)
				sameBits(t, p, sums, wantSums)
			}
		}
	})
}

func ofOnes(n int) Matrix { return Dense(slices.Repeat([]float32{1}, n), n, 1) }

// weightGrad is WeightGrad in two parts of the columns of each factor.
func weightGrad(x, dy Rounded, beta float32, dw Matrix, sums []float32) {
	m, n := dw.Rows/2/Group*Group, dw.Cols/2/Group*Group
	for _, across := range [][2]int{{0, n}, {n, dw.Cols}} {
		of := sums[across[0]:across[1]]
		for _, down := range [][2]int{{0, m}, {m, dw.Rows}} {
			Default().WeightGrad(
				x.Slice(down[0], down[1]).Left(), dy.Slice(across[0], across[1]), beta,
				dw.rows(down[0], down[1]).Slice(across[0], across[1]), of,
			)
			if down[0] < down[1] {
				of = nil
			}
		}
	}
}

// TestRoundedLeft: as a left factor, what is kept has the products of the matrix that it was made
// of, bit for bit.
func TestRoundedLeft(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		s := newSource(22)
		for _, d := range append(keptShapes, [3]int{20, 35, 1100}, [3]int{200, 31, 256}) {
			p, bias := s.factored(N, d, true)
			var f Factor
			f.Set(N, p.b)
			want := p.mul(&f, bias)
			from := kept(p.a)
			got := copyOf(p.c)
			blank(got)
			half := p.m / 2
			f.Mul(from.Rows(0, half).Left(), bias, got.rows(0, half))
			f.Mul(from.Rows(half, p.m).Left(), bias, got.rows(half, p.m))
			p.sameRows(t, got, want)

			f.MulAdd(from.Left(), got, true)
			f.MulAdd(p.a.Left(), want, true)
			p.sameRows(t, got, want)
		}
	})
}

// TestRoundedFloats: they are the numbers, rounded.
func TestRoundedFloats(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		x := newSource(23).matrix(37, 45, 50)
		var want []float32
		for i := range x.Rows {
			want = append(want, mapped(row(x, i), rounded)...)
		}
		sameBits(t, "floats", kept(x).Floats(), want)
	})
}

// TestRoundedPictures: what windows see of pictures that are kept has the products, and the
// gradients of weights, of what they see of the pictures, bit for bit.
func TestRoundedPictures(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		s := newSource(25)
		for _, w := range []Window{
			{4, 6, 32, 3, 3}, {1, 10, 32, 1, 3}, {8, 8, 64, 3, 3}, {3, 2, 32, 5, 5},
			{2, 40, 32, 1, 3},
		} {
			const pictures, channels = 5, 35
			pixels := pictures * w.H * w.W
			x, dy := s.matrix(pixels, w.C, w.C), s.matrix(pixels, channels, channels)
			weights := s.matrix(w.KH*w.KW*w.C, channels, channels)
			of := Default().RoundedPictures(pictures, w, blanks)
			of.Set(x)
			seen := Patches(x.Data, pictures, w)

			var f Factor
			f.Set(N, weights)
			got, want := s.matrix(pixels, channels, channels), s.matrix(pixels, channels, channels)
			f.Mul(seen, nil, want)
			half := 2 * w.H * w.W
			f.Mul(of.Rows(0, half).Patches(), nil, got.rows(0, half))
			f.Mul(of.Rows(half, pixels).Patches(), nil, got.rows(half, pixels))
			sameBits(t, w, got.Data, want.Data)

			grad := s.matrix(weights.Rows, channels, channels)
			Default().Gemm(T, N, 1, seen, dy, 0, grad)
			for lo := 0; lo < grad.Rows; lo += w.C {
				part := copyOf(grad.rows(lo, lo+w.C))
				patches := of.Patches().Slice(lo, lo+w.C)
				Default().WeightGrad(patches, kept(dy), 0, part, nil)
				sameBits(t, w, part.Data[:w.C*channels], grad.Data[lo*channels:][:w.C*channels])
			}
		}
	})
}

// TestSetPart: a factor that is laid out again by parts is the one that is set as a whole.
func TestSetPart(t *testing.T) {
	eachNative(t, func(t *testing.T) {
		s := newSource(24)
		for _, d := range [][2]int{{1, 1}, {40, 64}, {130, 100}, {1100, 33}} {
			for _, tr := range flags {
				k, n := d[0], d[1]
				b := s.spread(dims(k, n, tr))
				var f, whole Factor
				f.Set(tr, b)
				copy(b.Data, s.fill(len(b.Data)))
				whole.Set(tr, b)
				down, across := k/2/Group*Group, n/2/Group*Group
				for _, r := range [][2]int{{down, k}, {0, down}} {
					for _, c := range [][2]int{{across, n}, {0, across}} {
						if r[0] < r[1] && c[0] < c[1] {
							f.SetPart(r[0], r[1], c[0], c[1])
						}
					}
				}
				sameBits(t, d, f.panels, whole.panels)
			}
		}
	})
}
