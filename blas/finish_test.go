package blas

import (
	"slices"
	"testing"

	"github.com/plume-ml/plume/kernel"
)

// TestMulSiLU: it is a product, a SiLU and rounding, bit for bit, of kept factors and others.
func TestMulSiLU(t *testing.T) {
	eachKeeping(t, func(t *testing.T) {
		s := newSource(23)
		for _, d := range [][3]int{
			{1, 16, 1}, {31, 33, 5}, {64, 64, 32}, {129, 70, 300}, {260, 100, 33},
			{40, 17, blockK},
		} {
			if !Default().FinishesSiLU(d[2], d[1]) {
				t.Skip("MulSiLU is AMX's and the definition's: this path uses separate calls")
			}
			p := s.product(N, N, d[0], d[1], d[2])
			bias := s.fill(p.n)
			f := Default().Factor()
			f.Set(N, p.b)
			y, slopes := Dense(blanks(p.m*p.n), p.m, p.n), blanks(p.m*p.n)
			f.Mul(p.a.Left(), bias, Dense(slopes, p.m, p.n))
			kernel.SiLU(y.Data, slopes)
			want := kept(y).Floats()
			for _, a := range []Left{p.a.Left(), kept(p.a).Left()} {
				got := Default().Rounded(p.m, p.n, blanks)
				d := Dense(blanks(p.m*(p.n+3)), p.m, p.n+3)
				f.MulSiLU(a, bias, d.Slice(0, p.n), got)
				sameBits(t, p, got.Floats(), want)
				for i := range p.m {
					sameBits(t, p, d.Data[i*d.Stride:][:p.n], slopes[i*p.n:][:p.n])
				}
				alone := Default().RoundedIn(blanks(p.m*p.n), p.m, p.n)
				f.MulSiLU(a, bias, Matrix{}, alone)
				sameBits(t, p, alone.Floats(), want)
			}
		}
	})
}

// TestFinishesNothing: a factor of more rows than a product takes at once, and other precisions.
func TestFinishesNothing(t *testing.T) {
	for _, p := range Precisions {
		b, err := native(&chains).In(p)
		if err != nil {
			t.Fatal(err)
		}
		if b.FinishesSiLU(blockK+1, 64) || b.FinishesSiLU(64, Group/2-1) {
			t.Errorf("%s: SiLUs of factors that are too large or too small", p)
		}
		if b.FinishesSiLU(64, 64) && !slices.Contains([]Precision{BF16}, p) {
			t.Errorf("%s: SiLUs after products", p)
		}
	}
}
