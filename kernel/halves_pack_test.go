package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plume-ml/plume/internal/guard"
)

// halfPacking is what one of the functions that pack halves does.
type halfPacking struct {
	name       string
	transposed bool // source
	panel      bool
	pack       func(dst []float32, rs int, src []float32, ld, count, n int, alpha float32)
}

var halfPackings = []halfPacking{
	{"RoundHalves", false, false, RoundHalves},
	{"RoundHalvesT", true, false, RoundHalvesT},
	{"InterleavePairs", true, true, func(dst []float32, _ int, src []float32, ld, count, n int,
		alpha float32) {
		InterleavePairs(dst, src, ld, count, n, alpha)
	}},
	{"InterleavePairsT", false, true, func(dst []float32, _ int, src []float32, ld, count, n int,
		alpha float32) {
		InterleavePairsT(dst, src, ld, count, n, alpha)
	}},
}

// packedHalves is the sizes of a packing: rows or columns of halves, and the depth.
type packedHalves struct{ count, n, ld, rs int }

// source is how many numbers are read.
func (q *halfPacking) source(s packedHalves) int {
	switch {
	case s.count == 0 || s.n == 0:
		return 0
	case q.transposed:
		return (s.n-1)*s.ld + s.count
	}
	return (s.count-1)*s.ld + s.n
}

// want calls f for every half that is written, with its place and its number in the source, -1 for
// the zeros behind.
func (q *halfPacking) want(s packedHalves, f func(at, from int)) {
	count := s.count
	if q.panel {
		count = HalfCols
	}
	for i := range count {
		for k := range padded(s.n) {
			at, from := 2*i*s.rs+k, i*s.ld+k
			if q.panel {
				at = k/2*2*HalfCols + 2*i + k%2
			}
			if q.transposed {
				from = k*s.ld + i
			}
			if i >= s.count || k >= s.n {
				from = -1
			}
			f(at, from)
		}
	}
}

// words is how many words are written, or lie between these.
func (q *halfPacking) words(s packedHalves) (n int) {
	q.want(s, func(at, _ int) { n = max(n, at/2+1) })
	return n
}

// halfAt is half at of x.
func halfAt(x []float32, at int) float32 {
	if at%2 == 0 {
		return lower(x[at/2])
	}
	return upper(x[at/2])
}

// eachPackedHalves has all depths up to twice a multiple, and all numbers of rows or columns.
func (q *halfPacking) each(r *rand.Rand, test func(s packedHalves)) {
	most := 70
	if q.panel {
		most = HalfCols
	}
	step := 1
	if raceEnabled {
		step = 9 // the race detector makes it slow, and has nothing to find here
	}
	for i := 0; i <= 140; i += step {
		for _, s := range []packedHalves{
			{count: r.IntN(most + 1), n: i}, {count: i % (most + 1), n: r.IntN(80)},
		} {
			s.ld, s.rs = s.n+r.IntN(3), padded(s.n)/2+r.IntN(3)
			if q.transposed {
				s.ld = s.count + r.IntN(3)
			}
			test(s)
		}
	}
}

// TestHalfPacking: what packs halves writes bf16(alpha*x), and zeros behind the depth, at the
// places of its comment, and touches nothing else.
func TestHalfPacking(t *testing.T) {
	for i := range halfPackings {
		q := &halfPackings[i]
		t.Run(q.name, func(t *testing.T) {
			eachPath(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(15, 6))
				f := guard.NewFence(t, 2, 1<<14)
				q.each(r, func(s packedHalves) { q.compare(t, r, f, s) })
			})
		})
	}
}

func (q *halfPacking) compare(t *testing.T, r *rand.Rand, f *guard.Fence, s packedHalves) {
	t.Helper()
	from := newSource(r.Uint64(), class(r.IntN(int(classes))))
	src, before := make([]float32, q.source(s)), make([]float32, q.words(s))
	from.numbers(src)
	from.numbers(before)
	alpha := from.value()
	want := append([]float32(nil), before...)
	put := func(at int, x float32) {
		if at%2 == 0 {
			want[at/2] = pairOf(x, want[at/2])
		} else {
			want[at/2] = pairOf(lower(want[at/2]), x)
		}
	}
	q.want(s, func(at, from int) {
		if from < 0 {
			put(at, 0)
		} else {
			put(at, nearestBF16(float32(alpha*src[from])))
		}
	})
	for ends := range 4 {
		f.Clear()
		dst, x := f.Put(before, ends&1 == 0), f.Put(src, ends&2 == 0)
		if err := f.Try(func() { q.pack(dst, s.rs, x, s.ld, s.count, s.n, alpha) }); err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		for at := range 2 * len(want) {
			if got, want := halfAt(dst, at), halfAt(want, at); !agree(got, want) {
				t.Fatalf("%+v, alpha %v: half %d is %v, want %v", s, alpha, at, got, want)
			}
		}
	}
}

// TestHalfRounding: halves are those of RoundRows; with -exhaustive, for every float32.
func TestHalfRounding(t *testing.T) {
	const n = 1024
	eachPath(t, func(t *testing.T) {
		check := func(args []uint32) {
			var x, rows, want [n]float32
			var panel [n * HalfCols / 2]float32
			for i, w := range args {
				x[i] = math.Float32frombits(w)
			}
			RoundRows(want[:], n, x[:], n, n, 1, 1)
			RoundHalves(rows[:], n/2, x[:], n, 1, n, 1)
			InterleavePairs(panel[:], x[:], 1, 1, n, 1)
			for i, v := range want {
				inPanel := halfAt(panel[:], i/2*2*HalfCols+i%2)
				if got := halfAt(rows[:], i); !agree(got, v) || !agree(inPanel, v) {
					t.Errorf(
						"%v is %v in a row and %v in a panel, want %v", x[i], got, inPanel, v,
					)
				}
			}
		}
		edges := factorEdges
		for _, w := range factorEdges {
			edges = append(edges, w|signBit)
		}
		check(edges)
		sweep(1<<32, every(40093), 0, func(args []uint32, _ []errs) { check(args) })
	})
}

// TestHalvesAllocateNothing: a product, and what packs its factors.
func TestHalvesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const rows, n = 64, 64
	src, c := fill(rows*n), make([]float32, rows*HalfCols)
	a, b := make([]float32, rows*n/2), make([]float32, n*HalfCols/2)
	eachPath(t, func(t *testing.T) {
		eachHalves(t, func(t *testing.T, h, _ *Halves) {
			if got := testing.AllocsPerRun(3, func() {
				RoundHalves(a, n/2, src, n, rows, n, 1)
				RoundHalvesT(a, n/2, src, rows, rows, n, 1)
				InterleavePairs(b, src, HalfCols, HalfCols, n, 1)
				InterleavePairsT(b, src, n, HalfCols, n, 1)
				h.Mul(c, HalfCols, true, a, n/2, 0, b, 0, rows, 1, n, 1)
			}); got != 0 {
				t.Errorf("%v allocations", got)
			}
		})
	})
}

// TestHalvesMultiply: packed either way, matrices have the same product.
func TestHalvesMultiply(t *testing.T) {
	eachHalves(t, func(t *testing.T, h, _ *Halves) {
		const rows, cols, n, alpha = 37, 29, 70, -0.7
		words := padded(n) / 2
		x, y := fill(rows*n), fill(n*cols)
		xT, yT := make([]float32, n*rows), make([]float32, cols*n)
		PackColumns(xT, rows, x, n, rows, n)
		PackColumns(yT, n, y, cols, n, cols)
		var all [2][]float32
		for i := range all {
			a, b := make([]float32, rows*words), make([]float32, words*HalfCols)
			if i == 0 {
				RoundHalves(a, words, x, n, rows, n, alpha)
				InterleavePairs(b, y, cols, cols, n, 1)
			} else {
				RoundHalvesT(a, words, xT, rows, rows, n, alpha)
				InterleavePairsT(b, yT, n, cols, n, 1)
			}
			all[i] = make([]float32, rows*HalfCols)
			h.Mul(all[i], HalfCols, true, a, words, 0, b, 0, rows, 1, padded(n), 1)
		}
		same(t, "product of transposed matrices", all[1], all[0])
		for i := range rows {
			for j := range HalfCols {
				sum, size := 0.0, 0.0
				for k := range n {
					if j < cols {
						v := float64(x[i*n+k]) * float64(y[k*cols+j]) * alpha
						sum, size = sum+v, size+math.Abs(v)
					}
				}
				// Both factors are rounded to eight bits; what sums lose is small beside it.
				const tol = 2*0x1p-9 + 0x1p-15
				if got := float64(all[0][i*HalfCols+j]); beyond(got-sum, tol*size) {
					t.Fatalf("%s: element %d, %d is %v, want %v", h.name, i, j, got, sum)
				}
			}
		}
	})
}
