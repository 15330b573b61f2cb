package blas

import (
	"slices"
	"testing"
	"unsafe"
)

// Sizes around those of the tiles of all paths, of 14, 6 or 4 rows and 32 or 16 columns, and around
// the number of rows that are packed at a time.
var (
	aroundRows  = []int{1, 3, 4, 5, 6, 7, 13, 14, 15, 29}
	aroundCols  = []int{1, 15, 16, 17, 31, 32, 33, 65}
	aroundDepth = []int{1, 2, chunk - 1, chunk, chunk + 1, 2*chunk + 3}
)

// TestNativeTiles: products around the sizes of tiles are the documented chains, bit for bit.
func TestNativeTiles(t *testing.T) { eachNative(t, testNativeTiles) }

func testNativeTiles(t *testing.T) {
	s, count := newSource(1), 0
	for _, m := range aroundRows {
		for _, n := range aroundCols {
			eachTrans(func(ta, tb Trans) {
				p := s.product(ta, tb, m, n, aroundDepth[count%len(aroundDepth)]).with(count)
				p.checkChain(t, p.done())
				count++
			})
		}
	}
}

// TestNativeBlocks: the chains depend neither on blocks nor on where the left factor is read.
func TestNativeBlocks(t *testing.T) { eachUsed(t, testNativeBlocks) }

func testNativeBlocks(t *testing.T) {
	s, count := newSource(2), 0
	check := func(p *product) {
		t.Helper()
		p.with(count).checkChain(t, p.done())
		count++
	}
	eachTrans(func(ta, tb Trans) {
		for _, d := range beyondBlocks {
			check(s.product(ta, tb, d[0], d[1], d[2]))
		}
		for _, stride := range wideStrides {
			check(s.wide(s.product(ta, tb, 29, 33, 2*chunk+1), stride))
			check(s.wide(s.product(ta, tb, blockM+5, 5, chunk+1), stride))
			check(s.wide(s.product(ta, tb, 5, 5, blockK+6), stride))
		}
	})
}

// cuts are 0, some numbers between, and n.
func (s *source) cuts(n int) []int {
	at := []int{0, n}
	for range 3 {
		at = append(at, s.IntN(n+1))
	}
	slices.Sort(at)
	return at
}

// TestNativeSplits: a product has the same bits as products of its parts, wherever it is cut.
func TestNativeSplits(t *testing.T) { eachNative(t, testNativeSplits) }

func testNativeSplits(t *testing.T) {
	s, count := newSource(3), 0
	for _, d := range [][3]int{
		{50, 70, 40}, {blockM + 9, 40, 9}, {9, 100, blockK + 2}, {5, blockN + 50, 3},
	} {
		eachTrans(func(ta, tb Trans) {
			p := s.product(ta, tb, d[0], d[1], d[2]).with(count)
			count++
			parts := p.prepared()
			rows, cols := s.cuts(p.m), s.cuts(p.n)
			for i, lo := range rows[:len(rows)-1] {
				for j, left := range cols[:len(cols)-1] {
					hi, right := rows[i+1], cols[j+1]
					a, b := sub(p.a, ta, lo, hi, 0, p.k), sub(p.b, tb, 0, p.k, left, right)
					Default().Gemm(ta, tb, p.alpha, a.Left(), b, p.beta,
						sub(parts, N, lo, hi, left, right))
				}
			}
			sameBits(t, p, parts.Data, p.done().Data)
			samePadding(t, p, parts, p.c)
		})
	}
}

// TestLeftBlock: the left factor is read in place, unless its rows would conflict in the caches.
func TestLeftBlock(t *testing.T) {
	use(t, "native")
	for _, c := range []struct {
		transposed, packed bool
		stride             int
	}{
		{false, false, 40}, {false, false, 1023}, {false, true, 1024}, {false, false, 1500},
		{false, true, 3072}, {true, false, 40}, {true, false, 1023}, {true, false, 1024},
		{true, true, 1025}, {true, true, 2048},
	} {
		data := make([]float32, 30*c.stride)
		w := chains.workspace()
		left := Matrix{Rows: 30, Cols: 30, Stride: c.stride, Data: data}.Left()
		got := w.leftBlock(&left, Trans(c.transposed), 0, 30, 0, 30, 6)
		if packed := unsafe.SliceData(got.data) != unsafe.SliceData(data); packed != c.packed {
			t.Errorf(
				"transposed %v, stride %d: packed %v, want %v", c.transposed, c.stride, packed,
				c.packed,
			)
		}
	}
}
