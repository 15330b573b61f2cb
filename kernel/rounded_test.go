package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// nearestBF16 is bf16 by other means: the significand is rounded to a multiple of 1/256 in float64,
// where nothing else rounds.
func nearestBF16(x float32) float32 {
	v := float64(x)
	if v != v || math.IsInf(v, 0) {
		return x
	}
	if math.Abs(v) < 0x1p-56 {
		return float32(math.Copysign(0, v))
	}
	significand, exponent := math.Frexp(v)
	return float32(math.Ldexp(math.RoundToEven(256*significand), exponent-8))
}

// nearestRest is what RoundRest makes of x, which RoundRows makes first: their difference has at
// most 24 bits.
func nearestRest(x, first float32) float32 {
	if first-first != 0 {
		return 0
	}
	return nearestBF16(float32(float64(x) - float64(first)))
}

// factorEdges are numbers around every choice that rounding makes, of one sign.
var factorEdges = []uint32{
	0, 1, 0x007fffff, 0x00800000, // denormals
	0x237effff, 0x237f7fff, 0x237f8000, 0x237fffff, 0x23800000, 0x23800001, // 2^-56
	0x23808000, 0x23808001, 0x23818000, // half a unit from it
	0x3f800000, 0x3f807fff, 0x3f808000, 0x3f808001, 0x3f80ffff, // a tie to an even number
	0x3f810000, 0x3f817fff, 0x3f818000, 0x3f818001, // and from an odd one
	0x3fff7fff, 0x3fff8000, 0x3fffffff, // to the next power
	0x7f7f0000, 0x7f7f7fff, 0x7f7f8000, 0x7f7fffff, 0x7f800000, // to infinity
	0x7f800001, 0x7f808000, 0x7fbfffff, 0x7fc00000, 0x7fc0ffff, 0x7fff8000, 0x7fffffff, // NaN
}

// roundedRight rounds numbers, at most 1024 and an even number of them, and reports any that is
// not rounded as the comments say.
func roundedRight(t *testing.T, args []uint32) {
	var x, first, rest, pairs [1024]float32
	for i, w := range args {
		x[i] = math.Float32frombits(w)
	}
	n := len(args)
	RoundRows(first[:], n, x[:], n, n, 1, 1)
	RoundRest(rest[:], n, x[:], n, n, 1, 1)
	RoundPairs(pairs[:], n, x[:], n, n, 1, 1)
	right := func(got, want float32) bool {
		return agree(got, want) && math.Float32bits(got)&0xffff == 0
	}
	for i, v := range x[:n] {
		want := nearestBF16(v)
		wantRest := nearestRest(v, want)
		if !right(first[i], want) || !right(pairs[i^1], want) || !right(rest[i], wantRest) {
			t.Errorf("%v (%#08x) is rounded to %v, in pairs %v, and the rest %v; want %v and %v",
				v, math.Float32bits(v), first[i], pairs[i^1], rest[i], want, wantRest)
		}
	}
}

// TestRoundedFactors: each number is rounded as its comment says; with -exhaustive, every float32.
func TestRoundedFactors(t *testing.T) {
	edges := factorEdges
	for _, w := range factorEdges {
		edges = append(edges, w|signBit)
	}
	eachPath(t, func(t *testing.T) {
		roundedRight(t, edges)
		sweep(1<<32, every(1<<12-1), 0, func(args []uint32, _ []errs) {
			roundedRight(t, args[:len(args)&^1])
		})
	})
}

// TestRoundedShares: a factor enters the product, times alpha, as two numbers that leave less than
// 2^-16 of it, where neither is near the least or the greatest.
func TestRoundedShares(t *testing.T) {
	const alpha = 0.7
	eachPath(t, func(t *testing.T) {
		x := fill(1000)
		first, rest := guarded(t, 1000), guarded(t, 1000)
		RoundRows(first, 40, x, 40, 40, 25, alpha)
		RoundRest(rest, 40, x, 40, 40, 25, alpha)
		for i, v := range x {
			exact := float64(v) * float64(float32(alpha))
			lost := exact - (float64(first[i]) + float64(rest[i]))
			// Half a unit of 8 bits of half a unit of 8 bits, and alpha*x rounded to float32.
			if beyond(lost, (0x1p-16+0x1p-24)*math.Abs(exact)) {
				t.Fatalf("%v is taken for %v and %v", exact, first[i], rest[i])
			}
		}
	})
}

// bigFMA is x*y + z, exact but for the last rounding; no number is infinite or NaN.
func bigFMA(x, y, z float32) float32 {
	const exact = 1000 // bits, more than lie between the least product and the greatest
	number := func(v float32) *big.Float {
		return new(big.Float).SetPrec(exact).SetFloat64(float64(v))
	}
	product := new(big.Float).SetPrec(exact).Mul(number(x), number(y))
	sum, _ := product.Add(product, number(z)).Float32()
	return sum
}

// rounding is one of the functions that round factors.
type rounding func(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32)

func rounded(f rounding, x []float32) []float32 {
	y := make([]float32, len(x))
	f(y, 0, x, 0, len(x), 1, 1)
	return y
}

// TestMulGroups compares tiles with the order of their comment, computed with numbers of any
// length, and with tiles that are interrupted after a group.
func TestMulGroups(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 1))
		rows, cols := GroupsShape()
		for _, k := range []int{0, 1, 2, 31, 32, 33, 64, 70, 96, 97} {
			a, b, start := fill(rows*k), fill(k*cols), fill(cols)
			if k%3 != 0 {
				a, b = rounded(RoundRows, a), rounded(RoundRows, b)
			}
			got := make([]float32, rows*cols)
			MulGroups(got, cols, start, 0, a, k, 1, 0, b, rows, k, 1)
			for range 20 {
				i, j := r.IntN(rows), r.IntN(cols)
				want := start[j]
				for first := 0; first < k; first += 32 {
					var chains [2]float32
					for l := first; l < min(k, first+32); l++ {
						chains[l%2] = bigFMA(a[i*k+l], b[l*cols+j], chains[l%2])
					}
					want = bigFMA(1, want, bigFMA(1, chains[0], chains[1]))
				}
				if v := got[i*cols+j]; v != want {
					t.Fatalf("depth %d: element %d, %d is %v, want %v", k, i, j, v, want)
				}
			}
			for part := 32; part <= k; part += 32 {
				c := make([]float32, rows*cols)
				MulGroups(c, cols, start, 0, a, k, 1, 0, b, rows, part, 1)
				MulGroups(
					c, cols, c, cols, a[min(part, len(a)-1):], k, 1, 0, b[part*cols:], rows,
					k-part, 1,
				)
				same(t, fmt.Sprintf("depth %d, interrupted at %d", k, part), c, got)
			}
		}
	})
}

// TestPairs: tiles of factors whose pairs were exchanged add the odd number of each pair first.
func TestPairs(t *testing.T) {
	const k = 24
	eachPath(t, func(t *testing.T) {
		rows, cols := TileShape()
		a, bT, start := fill(rows*k), fill(cols*k), fill(cols)
		got, panel := make([]float32, rows*cols), make([]float32, k*cols)
		PackColumns(panel, cols, rounded(RoundPairs, bT), k, cols, k)
		MulTile(got, cols, start, 0, rounded(RoundPairs, a), k, 1, 0, panel, rows, k, 1)
		for i := range rows {
			for j := range cols {
				want := start[j]
				x, y := rounded(RoundRows, a[i*k:][:k]), rounded(RoundRows, bT[j*k:][:k])
				for l := 0; l < k; l += 2 {
					want = bigFMA(x[l], y[l], bigFMA(x[l+1], y[l+1], want))
				}
				if v := got[i*cols+j]; v != want {
					t.Fatalf("element %d, %d is %v, want %v", i, j, v, want)
				}
			}
		}
	})
}

// order is how a group of so many numbers of the depth is added to a sum.
type order struct {
	group int
	add   func(sum float32, x, y []float32) float32
}

// row computes row 1 of a tile.
func (q order) row(o *operands) {
	for j := range o.cols {
		var x, y []float32
		for k := range o.d {
			x = append(x, o.f[2][o.rs+k*o.cs+k/(o.d/o.parts)*o.jump])
			y = append(y, o.f[3][k*o.cols+j])
		}
		sum := o.f[1][o.lds+j]
		for k := 0; k < o.d; k += q.group {
			end := min(k+q.group, o.d)
			sum = q.add(sum, x[k:end], y[k:end])
		}
		o.f[0][o.ldc+j] = sum
	}
}

// chain adds products of every step-th number.
func chain(sum float32, x, y []float32, first, step int) float32 {
	for k := first; k < len(x); k += step {
		sum = fma32(x[k], y[k], sum)
	}
	return sum
}

// TestGroupComparisonFails: another order of the products is seen.
func TestGroupComparisonFails(t *testing.T) {
	right := func(sum float32, x, y []float32) float32 {
		return sum + (chain(0, x, y, 0, 2) + chain(0, x, y, 1, 2))
	}
	orders := map[string]order{
		"is right":         {32, right},
		"has groups of 16": {16, right},
		"has groups of 64": {64, right},
		"has one chain for a group": {32, func(sum float32, x, y []float32) float32 {
			return sum + chain(0, x, y, 0, 1)
		}},
		"adds the chains one by one": {32, func(sum float32, x, y []float32) float32 {
			return (sum + chain(0, x, y, 0, 2)) + chain(0, x, y, 1, 2)
		}},
		"begins a chain with the sum": {32, func(sum float32, x, y []float32) float32 {
			return chain(sum, x, y, 0, 2) + chain(0, x, y, 1, 2)
		}},
		"has halves for chains": {32, func(sum float32, x, y []float32) float32 {
			half := len(x) / 2
			return sum + (chain(0, x[:half], y, 0, 1) + chain(0, x[half:], y[half:], 0, 1))
		}},
	}
	k := kernelNamed("mulGroups")
	r := newRig(t)
	r.prepare(k, shape{rows: 3, d: 300, cols: genericCols}, newSource(5, usual))
	r.refer(k)
	for what, q := range orders {
		p := &path{name: "wrong", mulGroups: func(c []float32, ldc int, start []float32, lds int,
			a []float32, rs, cs, jump int, b []float32, rows, n, parts int) {
			o := &operands{
				rows: rows, d: n * parts, cols: genericCols, ldc: ldc, lds: lds, rs: rs, cs: cs,
				parts: parts, jump: jump, f: [6][]float32{c, start, a, b},
			}
			documentedGroups(o)
			q.row(o)
		}}
		err := r.against(k, p, between, 3, nil)
		if right := what == "is right"; right != (err == nil) ||
			!right && !strings.HasPrefix(err.Error(), "c[") {
			t.Errorf("a tile that %s: %v", what, err)
		}
	}
}
