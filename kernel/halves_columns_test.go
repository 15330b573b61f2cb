package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/plume-ml/plume/internal/guard"
)

// TestColumns: columns of halves are those of RoundHalves; panels and transposed rows of them are
// those that the numbers themselves give, bit for bit; and nothing else is read or written.
func TestColumns(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 7))
		f := guard.NewFence(t, 2, 1<<14)
		step := 1
		if raceEnabled {
			step = 9 // the race detector makes it slow, and has nothing to find here
		}
		for n := 0; n <= 140; n += step {
			cols := 1 + r.IntN(3*HalfCols)
			wide, ss := padded(cols), (n+r.IntN(3))*HalfCols/2
			src := make([]float32, n*wide) // zeros behind the columns
			numbers := newSource(r.Uint64(), class(r.IntN(int(classes))))
			for i := range n {
				numbers.numbers(src[i*wide:][:cols])
			}
			columns := make([]float32, max(0, (wide/HalfCols-1)*ss+n*HalfCols/2))
			want := slices.Clone(columns)
			for lo := 0; lo < wide && n > 0; lo += HalfCols {
				to := want[lo/HalfCols*ss:]
				RoundHalves(to, HalfCols/2, src[lo:], wide, n, HalfCols, 1)
			}
			narrow := src[:max(0, (n-1)*wide+cols)]
			turned(t, f, narrow, want, func(dst, x []float32) {
				RoundToColumns(dst, ss, x, wide, n, cols)
			})
			copy(columns, want)

			words := padded(n) / 2
			want = make([]float32, words*HalfCols)
			InterleavePairs(want, src, wide, HalfCols, n, 1)
			strip := columns[:n*HalfCols/2]
			turned(t, f, strip, want, func(dst, x []float32) {
				InterleaveColumns(dst, x, n)
			})

			rs := words + r.IntN(3)
			want = make([]float32, max(0, (wide-1)*rs+words))
			if n == 0 {
				want = nil
			}
			RoundHalvesT(want, rs, src, wide, wide, n, 1)
			turned(t, f, columns, want, func(dst, x []float32) {
				TransposeColumns(dst, rs, x, ss, wide, n)
			})
		}
	})
}

// TestTransposedLines: rows in lines are transposed as if they followed each other.
func TestTransposedLines(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(15, 8))
		f := guard.NewFence(t, 2, 1<<14)
		for _, run := range []int{2, 4, 6, 8, 16, 32, 34, 64} {
			for n := 0; n <= 100; n += 2 + 2*r.IntN(3) {
				const words = HalfCols / 2
				first, ld := 2*r.IntN(run), words+r.IntN(20)
				lines := (first + n + run - 1) / run
				src := make([]float32, lines*((run+1)*ld)+words)
				newSource(r.Uint64(), class(r.IntN(int(classes)))).numbers(src)
				var starts []int
				var strip []float32
				for i := range lines {
					starts = append(starts, i*(run+1)*ld)
				}
				for k := first; k < first+n; k++ {
					strip = append(strip, src[starts[k/run]+k%run*ld:][:words]...)
				}
				rs := padded(n)/2 + r.IntN(3)
				want := make([]float32, (HalfCols-1)*rs+padded(n)/2)
				if n == 0 {
					want = nil
				}
				TransposeColumns(want, rs, strip, 0, HalfCols, n)
				turned(t, f, src, want, func(dst, x []float32) {
					TransposeLines(dst, rs, x, starts, run, ld, first, n)
				})
			}
		}
	})
}

// turned compares what turn makes of numbers with what is wanted, with guard pages around.
func turned(t *testing.T, f *guard.Fence, src, want []float32, turn func(dst, x []float32)) {
	t.Helper()
	for ends := range 4 {
		f.Clear()
		dst := f.Put(make([]float32, len(want)), ends&1 == 0)
		x := f.Put(src, ends&2 == 0)
		if err := f.Try(func() { turn(dst, x) }); err != nil {
			t.Fatal(err)
		}
		for at := range 2 * len(want) {
			if got, v := halfAt(dst, at), halfAt(want, at); !agree(got, v) {
				t.Fatalf("half %d of %d is %v, want %v", at, 2*len(want), got, v)
			}
		}
	}
}
